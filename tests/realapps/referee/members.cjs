"use strict";
// Members of scripts, by acorn's tree alone. Each find is [of, start, end, ...], in UTF-16 units.
// `of`: a free name, or `this` where that is the module's exported object (or, where the code is
// one function alone, the object that function is a member of), or `export` for a member's own key.

const FUNCTIONS = new Set(["FunctionExpression", "FunctionDeclaration"]);
const BY_NAME = new Set(["showModal", "closeModal", "resetWidget", "navigateTo"]);

// members: [of, start, end, member, shorthand]; unclear: [of, start, end, members that it is not].
function membersOf(ast, free, goal, memberName) {
  const parents = parentsOf(ast);
  const exported = goal === "script" ? exportedObject(ast) : null;
  const alone = goal === "script" ? null : functionAlone(ast);
  const found = { members: [], unclear: [] };
  for (const [node, parent] of parents) {
    if (free.has(node)) look(node, parent, node.name, found);
    if (node.type === "ThisExpression") {
      if (isObject(node)) look(node, parent, "this", found);
      else if (exported !== null || alone !== null) {
        const inner = { members: [], unclear: [] };
        look(node, parent, "this", inner);
        for (const [of, start, end, member] of inner.members) {
          found.unclear.push([of, start, end, [], member]);
        }
      }
    }
  }
  if (exported !== null) takenApart(exported, "export", found);
  return found;

  function isObject(node) {
    for (let at = parents.get(node); at; at = parents.get(at)) {
      if (at === exported || at === alone) return true;
      if (at.type === "ClassBody") return false;
      if (FUNCTIONS.has(at.type)) {
        const holder = parents.get(at);
        return exported !== null && holder.type === "Property" && parents.get(holder) === exported;
      }
    }
    return false;
  }

  function look(node, parent, of, into) {
    if (parent.type === "MemberExpression" && parent.object === node) {
      const member = memberName(parent);
      if (member === null) into.unclear.push([of, parent.start, parent.end, []]);
      else into.members.push([of, ...written(parent.property), member, false]);
    } else if (parent.type === "VariableDeclarator" && parent.id.type === "ObjectPattern") {
      takenApart(parent.id, of, into);
    } else if (parent.type === "AssignmentExpression" && parent.left.type === "ObjectPattern") {
      takenApart(parent.left, of, into);
      if (parents.get(parent).type !== "ExpressionStatement") {
        into.unclear.push([of, node.start, node.end, []]);
      }
    } else {
      into.unclear.push([of, node.start, node.end, []]);
    }
  }

  // The keys of a pattern, or of the exported object.
  function takenApart(object, of, into) {
    const seen = [];
    for (const one of object.properties) {
      if (one.type === "RestElement") into.unclear.push([of, one.start, one.end, seen]);
      if (one.type !== "Property") continue;
      const computed = one.computed || one.key.type !== "Identifier";
      const member = memberName({ computed, property: one.key });
      if (member === null) {
        into.unclear.push([of, one.key.start, one.key.end, []]);
        continue;
      }
      seen.push(member);
      into.members.push([of, ...written(one.key), member, one.shorthand]);
    }
  }
}

// [function, start, end, text]: texts that a free function of Appsmith takes for a name.
function mentionsOf(ast, free, memberName) {
  const found = [];
  for (const [node] of parentsOf(ast)) {
    if (node.type !== "CallExpression" || !free.has(node.callee)) continue;
    const [first] = node.arguments;
    if (!BY_NAME.has(node.callee.name) || first === undefined) continue;
    if (first.type !== "TemplateLiteral" && typeof first.value !== "string") continue;
    const text = memberName({ computed: true, property: first });
    if (text) found.push([node.callee.name, ...written(first), text]);
  }
  return found;
}

// What stands between quotes, or all of a name.
function written(node) {
  if (node.type === "TemplateLiteral") return [node.quasis[0].start, node.quasis[0].end];
  const quoted = node.type === "Literal" && typeof node.value === "string" ? 1 : 0;
  return [node.start + quoted, node.end - quoted];
}

function exportedObject(ast) {
  const found = ast.body.find((one) => one.type === "ExportDefaultDeclaration");
  return found?.declaration.type === "ObjectExpression" ? found.declaration : null;
}

function functionAlone(ast) {
  const [only, ...more] = ast.body;
  if (more.length > 0) return null;
  const node = only?.type === "ExpressionStatement" ? only.expression : only;
  const functions = ["ArrowFunctionExpression", ...FUNCTIONS];
  return functions.includes(node?.type) ? node : null;
}

// Every node with what is around it. A shorthand property's key and value are one node: the value's.
function parentsOf(ast) {
  const parents = new Map();
  const pending = [ast];
  while (pending.length > 0) {
    const node = pending.pop();
    for (const child of Object.values(node).flat()) {
      if (typeof child?.type !== "string" || typeof child.start !== "number") continue;
      parents.set(child, node);
      pending.push(child);
    }
  }
  return parents;
}

module.exports = { membersOf, mentionsOf };
