"""The GraphQL documents of the journey, ready to paste into GraphiQL."""

REFUSAL = "__typename ... on Failure { code message }"

REGISTER = f"""mutation($input: RegisterInput!) {{ register(input: $input) {{
    {REFUSAL} ... on UserRegistered {{ userId }} }} }}"""

LOG_IN = f"""mutation($input: LogInInput!) {{ logIn(input: $input) {{
    {REFUSAL} ... on SessionOpened {{ token expiresAt }} }} }}"""

CREATE_WORKSPACE = f"""mutation($input: CreateWorkspaceInput!) {{ createWorkspace(input: $input) {{
    {REFUSAL} ... on Operation {{ id workspaceId }} }} }}"""

WATCH_OPERATION = """subscription($id: ID!) { operation(id: $id) {
    id state step done total finished result
    error { __typename code message
        ... on QuotaExceeded { unitsLeft } ... on LivePointerMoved { liveReleaseId } }
    steps { name state } app { id } release { id state } } }"""

WORKSPACE = """query($id: ID!) { workspace(id: $id) { name role memberCount
    usage { plan unitsLive unitsReserved unitsLeft }
    apps { nodes { id name } } } }"""

APP = """query($id: ID!) { app(id: $id) { id name version headRevisionId counts
    pages { nodes { id name } }
    widgets(first: 5) { nodes { id name version source } }
    delivery { visibility pointers { environment path release { id number state } } }
    releases { nodes { id number state environment } }
    revisions { nodes { id number tags } } } }"""

CREATE_APP = f"""mutation($input: CreateAppInput!) {{ createApp(input: $input) {{
    {REFUSAL} ... on AppCreated {{ appId }} }} }}"""

CHANGE_ENTITY = f"""mutation($input: ChangeEntityInput!) {{ changeEntity(input: $input) {{
    {REFUSAL} ... on EntityChanged {{ entityVersion revisionId }}
    ... on VersionConflict {{ expectedVersion currentVersion }} }} }}"""

PUBLISH = f"""mutation($input: PublishAppInput!) {{ publishApp(input: $input) {{
    {REFUSAL} ... on Operation {{ id state }} }} }}"""

ROLL_BACK = f"""mutation($input: RollBackInput!) {{ rollBack(input: $input) {{
    {REFUSAL} ... on ReleaseRolledBack {{ releaseId pointerVersion }} }} }}"""

SET_VISIBILITY = f"""mutation($input: SetAppVisibilityInput!) {{ setAppVisibility(input: $input) {{
    {REFUSAL} ... on AppVisibilityChanged {{ visibility }} }} }}"""

FEED = """query($id: ID!, $app: ID, $after: String) {
    activity(workspaceId: $id, appId: $app, first: 100, after: $after) {
        nodes { eventId type subject aggregateVersion traceId }
        pageInfo { hasNextPage endCursor } } }"""

OPERATIONS = """query($id: ID!) { operations(workspaceId: $id) {
    nodes { id kind state error { code } } } }"""
