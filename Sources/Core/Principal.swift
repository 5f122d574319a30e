import FoundationEssentials

/// What a member may do in a workspace. Each role may do all that the ones below it may.
package enum Role: String, Sendable, Codable, CaseIterable, Comparable {
    case viewer, editor, admin, owner

    package static func < (left: Role, right: Role) -> Bool {
        left.rank < right.rank
    }

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .editor: 1
        case .admin: 2
        case .owner: 3
        }
    }
}

/// Who is asking: a signed-in member, in the workspace they have open.
package struct Principal: Sendable, Hashable {
    package let user: UserID
    package let workspace: WorkspaceID
    package let role: Role
    package let name: String
    package let email: String
    /// Whether it is a host product with a service key, not a person.
    package let isService: Bool

    /// A host product: it acts in a workspace like an editor, and is nobody in particular.
    /// - Parameter service: what it is called in logs.
    package init(service name: String, workspace: WorkspaceID) {
        user = UserID(.zero)
        self.workspace = workspace
        role = .editor
        self.name = name
        email = ""
        isService = true
    }

    package init(user: UserID, workspace: WorkspaceID, role: Role, name: String, email: String) {
        self.user = user
        self.workspace = workspace
        self.role = role
        self.name = name
        self.email = email
        isService = false
    }
}

/// The workspace that a query or an action is about, and who asked. Queries are built from it, so that an unscoped
/// query cannot be written by accident.
package struct WorkspaceScope: Sendable, Hashable {
    package let workspace: WorkspaceID
    /// Nil when the portal itself acts: a job, a visitor's click, an unsubscribe link.
    package let actor: UserID?

    package init(workspace: WorkspaceID, actor: UserID? = nil) {
        self.workspace = workspace
        self.actor = actor
    }

    package init(_ principal: Principal) {
        self.init(workspace: principal.workspace, actor: principal.isService ? nil : principal.user)
    }
}
