import Core
import Postgres
import Templates
import Web

/// A workspace that somebody belongs to.
struct WorkspaceChoice: PostgresRow, ViewRecord {
    let id: WorkspaceID
    let name: String
    let role: Role

    static let columns: SQL = "w.id, w.name, m.role"
    static let fields = Fields<WorkspaceChoice> { f in
        f.text("id") { "\($0.id)" }
        f.text("name") { $0.name }
        f.text("role") { $0.role.rawValue }
    }

    init(row: inout RowReader) throws {
        id = try row.next()
        name = try row.next()
        role = try row.next()
    }

    init(id: WorkspaceID, name: String, role: Role) {
        self.id = id
        self.name = name
        self.role = role
    }
}

/// The workspaces of a person, to open another.
struct WorkspaceChoicePage: ViewPage {
    struct Entry: ViewRecord {
        let choice: WorkspaceChoice
        let isOpen: Bool

        static let fields = Fields<Entry> { f in
            f.record("choice", of: WorkspaceChoice.self) { $0.choice }
            f.flag("isOpen") { $0.isOpen }
        }
    }

    let entries: [Entry]

    init(choices: [WorkspaceChoice], open: WorkspaceID?) {
        entries = choices.map { Entry(choice: $0, isOpen: $0.id == open) }
    }

    static let view = "accounts/workspaces"
    static let fields = Fields<WorkspaceChoicePage> { f in f.list("entries", of: Entry.self) { $0.entries } }
    static var previews: [WorkspaceChoicePage] {
        let names = ["Acme", "Northwind"]
        let choices = names.enumerated().compactMap { index, name in
            WorkspaceID("01920000-0000-7000-8000-00000000000\(index)").map {
                WorkspaceChoice(id: $0, name: name, role: index == 0 ? .owner : .viewer)
            }
        }
        return [WorkspaceChoicePage(choices: choices, open: choices.first?.id)]
    }
}

/// Opening another workspace that one belongs to. The session remembers it.
struct WorkspaceChoiceRoutes: Sendable {
    let services: AppServices
    let sessions: SessionQueries
    let memory: SessionMemory

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/workspaces", .viewer, show)
        routes.page(.post, "/workspaces", .viewer, open)
    }

    private func show(_ request: WebRequest) async throws -> WebResponse {
        let member = try request.member
        return .page(WorkspaceChoicePage(choices: try await choices(of: member.user), open: member.workspace))
    }

    private func open(_ request: WebRequest) async throws -> WebResponse {
        let member = try request.member
        guard let session = request.session, let id = WorkspaceID(try await request.form().text("workspace")),
            let choice = try await choices(of: member.user).first(where: { $0.id == id }),
            try await sessions.switchWorkspace(session.tokenHash, to: id, user: member.user)
        else { throw WebError.notFound }
        memory.forget(session.tokenHash)
        return .redirect(to: "/", notice: "You are in \(choice.name) now.")
    }

    private func choices(of user: UserID) async throws -> [WorkspaceChoice] {
        try await services.database.session { session in
            try await session.all(
                WorkspaceChoice.self, "accounts.workspaces.choices",
                """
                SELECT \(WorkspaceChoice.columns) FROM marketing_memberships m
                JOIN marketing_workspaces w ON w.id = m.workspace_id
                WHERE m.user_id = \(user) ORDER BY lower(w.name), w.id
                """)
        }
    }
}
