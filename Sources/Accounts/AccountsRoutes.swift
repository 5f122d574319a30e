import Core
import Web

/// The pages about oneself, one's workspace and one's colleagues.
struct AccountsRoutes: Sendable {
    let services: AppServices
    let profile: ProfileActions
    let members: MemberActions
    let invitations: InvitationActions
    let workspaces: WorkspaceActions
    let sessions: SessionQueries
    let memory: SessionMemory

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/profile", .viewer, showProfile)
        routes.page(.post, "/profile", .viewer, saveProfile)
        routes.page(.post, "/profile/password", .viewer, changePassword)
        routes.page(.post, "/profile/sessions/end", .viewer, endOtherSessions)
        routes.page(.get, "/settings", .viewer, showSettings)
        routes.page(.post, "/settings", .admin, saveSettings)
        routes.page(.get, "/settings/members", .viewer, showMembers)
        routes.page(.post, "/settings/members/invite", .admin, invite)
        routes.page(.post, "/settings/members/{id}/role", .admin, changeRole)
        routes.page(.get, "/settings/members/{id}/remove", .admin, confirmRemoval)
        routes.page(.post, "/settings/members/{id}/remove", .admin, remove)
        routes.page(.post, "/settings/invitations/{id}/revoke", .admin, revoke)
    }

    // MARK: Oneself

    private func showProfile(_ request: WebRequest) async throws -> WebResponse {
        .page(try Self.profilePage(request))
    }

    private static func profilePage(_ request: WebRequest, _ errors: ValidationErrors = .init()) throws -> ProfilePage {
        let member = try request.member
        return ProfilePage(
            name: FormField("name", member.name, errors), email: FormField("email", member.email, errors),
            currentPassword: FormField("currentPassword", "", errors),
            newPassword: FormField("newPassword", "", errors), errors: errors)
    }

    private func saveProfile(_ request: WebRequest) async throws -> WebResponse {
        let form = try await request.form()
        do {
            try await profile.rename(try request.member.user, name: form.text("name"), email: form.text("email"))
        } catch let errors as ValidationErrors {
            var page = try Self.profilePage(request, errors)
            page.name = FormField("name", form.text("name"), errors)
            page.email = FormField("email", form.text("email"), errors)
            return .page(page, status: .unprocessableContent)
        }
        if let session = request.session { memory.forget(session.tokenHash) }
        return .redirect(to: "/profile", notice: "Your profile is saved.")
    }

    private func changePassword(_ request: WebRequest) async throws -> WebResponse {
        let form = try await request.form()
        let member = try request.member
        do {
            try await profile.changePassword(
                of: member.user, email: member.email, from: form.raw("currentPassword") ?? "",
                to: form.raw("newPassword") ?? "", keeping: request.session?.tokenHash ?? [])
        } catch let errors as ValidationErrors {
            return .page(try Self.profilePage(request, errors), status: .unprocessableContent)
        }
        memory.forgetAll()
        return .redirect(to: "/profile", notice: "Your password is changed. Other browsers are signed out.")
    }

    private func endOtherSessions(_ request: WebRequest) async throws -> WebResponse {
        let user = try request.member.user
        let kept = request.session?.tokenHash
        try await services.database.transaction { transaction in
            try await sessions.endAll(of: user, except: kept, in: transaction)
        }
        memory.forgetAll()
        return .redirect(to: "/profile", notice: "All other browsers are signed out.")
    }

    // MARK: The workspace

    private func showSettings(_ request: WebRequest) async throws -> WebResponse {
        let member = try request.member
        guard let workspace = try await services.directory.workspace(member.workspace) else { throw WebError.notFound }
        return .page(
            WorkspaceSettingsPage(
                form: WorkspaceSettingsForm(workspace), canEdit: member.role >= .admin,
                returnPath: LocalPath.safe(request.query.optional("return"))))
    }

    private func saveSettings(_ request: WebRequest) async throws -> WebResponse {
        let fields = try await request.form()
        let form = WorkspaceSettingsForm(fields)
        let returnPath: String? = LocalPath.safe(fields.optional("return"))
        do {
            try await workspaces.save(form, by: try request.scope)
        } catch let errors as ValidationErrors {
            return .page(
                WorkspaceSettingsPage(form: form, canEdit: true, returnPath: returnPath, errors: errors),
                status: .unprocessableContent)
        }
        memory.forgetAll()
        return .redirect(to: returnPath ?? "/settings", notice: "The settings are saved.")
    }

    // MARK: Colleagues

    private func membersPage(
        _ request: WebRequest, email: String = "", role: Role = .editor, _ errors: ValidationErrors = .init()
    ) async throws -> MembersPage {
        let actor = try request.member
        let queries = MemberQueries(scope: try request.scope, database: services.database)
        let canManage = actor.role >= .admin
        let rows = try await queries.all().map { member in
            MemberRow(
                member: member, isYou: member.user == actor.user,
                canChange: canManage && (member.role != .owner || actor.role == .owner),
                mayGrantOwnership: actor.role == .owner)
        }
        let invitations = try await queries.openInvitations(at: services.clock.now).map(InvitationRow.init)
        return MembersPage(
            members: rows, invitations: invitations, email: FormField("email", email, errors), chosenRole: role,
            canManage: canManage, errors: errors)
    }

    private func showMembers(_ request: WebRequest) async throws -> WebResponse {
        .page(try await membersPage(request))
    }

    private func invite(_ request: WebRequest) async throws -> WebResponse {
        let form = try await request.form()
        let role = Role(rawValue: form.text("role")) ?? .owner
        do {
            try await invitations.invite(email: form.text("email"), role: role, by: try request.member)
        } catch let errors as ValidationErrors {
            let page = try await membersPage(request, email: form.text("email"), role: role, errors)
            return .page(page, status: .unprocessableContent)
        }
        return .redirect(to: "/settings/members", notice: "The invitation to \(form.text("email")) is on its way.")
    }

    private func changeRole(_ request: WebRequest) async throws -> WebResponse {
        guard let role = Role(rawValue: try await request.form().text("role")) else {
            throw WebError.badRequest("Choose a role from the list.")
        }
        let refusal = try await members.changeRole(of: try request.id(), to: role, by: try request.member)
        memory.forgetAll()
        return try Self.answer(refusal, notice: "The role is changed.")
    }

    private func confirmRemoval(_ request: WebRequest) async throws -> WebResponse {
        let queries = MemberQueries(scope: try request.scope, database: services.database)
        guard let member = try await queries.member(try request.id()) else { throw WebError.notFound }
        return .page(
            MemberRemovalPage(
                id: "\(member.user)", name: member.name, email: member.email,
                isYou: member.user == (try request.member).user))
    }

    private func remove(_ request: WebRequest) async throws -> WebResponse {
        let refusal = try await members.remove(try request.id(), by: try request.member)
        memory.forgetAll()
        return try Self.answer(refusal, notice: "The member is removed.")
    }

    private static func answer(_ refusal: MemberActions.Refusal?, notice: String) throws -> WebResponse {
        guard let refusal else { return .redirect(to: "/settings/members", notice: notice) }
        if refusal == .unknown { throw WebError.notFound }
        return .redirect(to: "/settings/members", alert: refusal.message)
    }

    private func revoke(_ request: WebRequest) async throws -> WebResponse {
        guard try await invitations.revoke(try request.id(), by: try request.member) else { throw WebError.notFound }
        return .redirect(to: "/settings/members", notice: "The invitation is withdrawn.")
    }
}
