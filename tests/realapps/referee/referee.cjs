"use strict";
// Free names of JavaScript, by acorn and eslint-scope. Usage: node referee.cjs FOLDER, where
// FOLDER/node_modules has both. Reads JSON lines {id, code, goal}, answers a line for each:
// {id, names: [[name, start, end, path, shorthand], ...], members, unclear, mentions} in order of
// place, or {id, broken: message}. `path`: the members that follow the name as far as they are
// written down. `shorthand`: it is a key, too. The other three: see members.cjs.
// Ranges count code points of `code`. Goals: data, trigger, script.
const path = require("node:path");
const { createRequire } = require("node:module");
const load = createRequire(path.join(process.argv[2], "here.js"));
const acorn = load("acorn");
const scopes = load("eslint-scope");
const { membersOf, mentionsOf } = require("./members.cjs");

const OPTIONS = {
  ecmaVersion: "latest",
  allowAwaitOutsideFunction: true, // the client wraps what it runs into an async function
  allowReturnOutsideFunction: true,
};

// What to try in turn: [text before, text after, kind of source].
const BARE = ["", "", "script"];
const BRACKETED = ["(", "\n)", "script"]; // a line comment may end the code
const GOALS = { data: [BRACKETED, BARE], trigger: [BARE, BRACKETED], script: [["", "", "module"]] };

function parse(code, goal) {
  let first = null;
  for (const [before, after, sourceType] of GOALS[goal]) {
    const text = before === "" ? code : withoutSemicolons(code);
    try {
      const ast = acorn.parse(before + text + after, { ...OPTIONS, sourceType, ranges: true });
      if (before !== "" && !isOneExpression(ast)) continue; // `a) + (b` is none in brackets
      return { ast, sourceType, shift: before.length };
    } catch (error) {
      first ??= error;
    }
  }
  throw first ?? new SyntaxError("more than one expression");
}

function isOneExpression(ast) {
  const [only, ...more] = ast.body;
  const node = only?.type === "ExpressionStatement" ? only.expression : null;
  // Brackets around the whole leave the expression one character short on either side at least.
  return more.length === 0 && node !== null && node.start > 0;
}

function withoutSemicolons(code) {
  let end = code.length;
  while (end > 0 && (code[end - 1] === ";" || code[end - 1].trim() === "")) end -= 1;
  return code.slice(0, end);
}

function judged(code, goal) {
  const { ast, sourceType, shift } = parse(code, goal);
  const settings = { ecmaVersion: 2025, sourceType, ignoreEval: true };
  const globalScope = scopes.analyze(ast, settings).globalScope;
  const { paths, keys } = surroundings(ast, code, shift);
  const found = new Map();
  const free = new Set();
  for (const { identifier, from } of globalScope.through) {
    if (globalScope.set.has(identifier.name)) continue; // declared at the top
    if (identifier.name === "arguments" && isInFunction(from)) continue;
    const [start, end] = identifier.range;
    const around = [paths.get(start) ?? [], keys.has(start)];
    found.set(start, [identifier.name, start - shift, end - shift, ...around]);
    free.add(identifier);
  }
  const { members, unclear } = membersOf(ast, free, goal, memberName);
  const placed = (list) => inCodePoints(code, list.map((one) => moved(one, shift)).sort(byPlace));
  return {
    names: inCodePoints(code, [...found.values()].sort(byPlace)),
    members: placed(members),
    unclear: placed(unclear),
    mentions: placed(mentionsOf(ast, free, memberName)),
  };
}

function byPlace(one, other) {
  return one[1] - other[1];
}

function moved([what, start, end, ...rest], shift) {
  return [what, start - shift, end - shift, ...rest];
}

// eslint-scope takes `arguments` in a parameter's default for a free name; every function has it.
function isInFunction(scope) {
  for (let around = scope; around !== null; around = around.upper) {
    if (around.type === "function" && around.block.type !== "ArrowFunctionExpression") return true;
  }
  return false;
}

// The members after each chain's first name, by the place of that name; and where names are keys.
function surroundings(ast, code, shift) {
  const paths = new Map();
  const keys = new Set();
  const pending = [ast];
  while (pending.length > 0) {
    const node = pending.pop();
    if (node.type === "MemberExpression") follow(node, code, shift, paths);
    if (node.type === "Property" && node.shorthand) keys.add(node.key.start);
    for (const child of Object.values(node).flat()) {
      if (typeof child?.type === "string") pending.push(child);
    }
  }
  return { paths, keys };
}

// From the end of a chain down to what it begins with; of nested ones the longest counts.
function follow(outermost, code, shift, paths) {
  let path = [];
  let node = outermost;
  while (node.type === "MemberExpression") {
    const { object, property } = node;
    const between = code.slice(object.end - shift, property.start - shift);
    if (between.includes(")")) return; // of `(a.b).c` only `a.b` is followed
    const member = between.includes("(") ? null : memberName(node);
    path = member === null ? [] : [member, ...path];
    node = object;
  }
  if (node.type !== "Identifier") return;
  if ((paths.get(node.start) ?? []).length <= path.length) paths.set(node.start, path);
}

function memberName({ computed, property }) {
  if (!computed) return property.type === "PrivateIdentifier" ? `#${property.name}` : property.name;
  if (property.type === "TemplateLiteral" && property.expressions.length === 0) {
    return withoutEscapes(property.quasis[0].value);
  }
  if (property.type !== "Literal") return null;
  const { raw, value } = property;
  if (typeof value === "string") return withoutEscapes({ raw: raw.slice(1, -1), cooked: value });
  return typeof value === "number" ? raw : null;
}

// A member written with escapes is none that anybody should rely on.
function withoutEscapes({ raw, cooked }) {
  return raw === cooked ? cooked : null;
}

// Offsets in UTF-16 units to offsets in code points.
function inCodePoints(code, names) {
  if (!/[\ud800-\udfff]/.test(code)) return names;
  const points = new Uint32Array(code.length + 1);
  let count = 0;
  for (let unit = 0; unit < code.length; ) {
    const width = code.codePointAt(unit) > 0xffff ? 2 : 1;
    for (let i = 0; i < width; i += 1) points[unit + i] = count;
    unit += width;
    count += 1;
  }
  points[code.length] = count;
  return names.map(([name, start, end, ...rest]) => [name, points[start], points[end], ...rest]);
}

function answer({ id, code, goal }) {
  try {
    return { id, ...judged(code, goal) };
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
    return { id, broken: error.message };
  }
}

const lines = require("node:readline").createInterface({ input: process.stdin });
lines.on("line", (line) => process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + "\n"));
