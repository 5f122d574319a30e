import Core
import Web

/// Signing in and out, registering, resetting a password, accepting an invitation: pages for people without a session.
struct SignInRoutes: Sendable {
    let services: AppServices
    let signIn: SignInActions
    let registration: RegistrationActions
    let resets: PasswordResetActions
    let invitations: InvitationActions
    let sessions: SessionQueries
    let memory: SessionMemory

    func add(to routes: inout RouteTable) {
        routes.visitor(.get, "/login") { request in .page(LoginPage(next: request.query.optional("next"))) }
        routes.visitor(.post, "/login", login)
        routes.page(.post, "/logout", .viewer, logout)
        routes.visitor(.get, "/register") { _ in .page(RegisterPage()) }
        routes.visitor(.post, "/register", register)
        routes.visitor(.get, "/forgotten-password") { _ in .page(ForgottenPasswordPage()) }
        routes.visitor(.post, "/forgotten-password", requestReset)
        routes.visitor(.get, "/reset-password", showReset)
        routes.visitor(.post, "/reset-password", reset)
        routes.visitor(.get, "/invitation", showInvitation)
        routes.visitor(.post, "/invitation", accept)
        routes.visitor(.post, "/theme", chooseTheme)
    }

    private func login(_ request: WebRequest) async throws -> WebResponse {
        let form = try await request.form()
        let email = form.text("email")
        let next = form.optional("next")
        let outcome = try await signIn.check(
            email: email, password: form.raw("password") ?? "", address: request.clientAddress)
        switch outcome {
        case .signedIn(let membership):
            let token = try await signIn.startSession(membership, userAgent: request.headers[.userAgent] ?? "")
            return WebResponse.redirect(to: LocalPath.safe(next) ?? "/").signingIn(token: token)
        case .refused:
            return loginPage(email, next, "The e-mail address or the password is wrong.")
        case .wait(let seconds):
            return loginPage(email, next, "Too many tries. Wait \(seconds) seconds and try again.")
        }
    }

    private func loginPage(_ email: String, _ next: String?, _ message: String) -> WebResponse {
        let errors = ValidationErrors("email", message)
        return .page(
            LoginPage(email: FormField("email", email, errors), next: next, errors: errors),
            status: .unprocessableContent)
    }

    private func logout(_ request: WebRequest) async throws -> WebResponse {
        if let session = request.session {
            try await sessions.end(session.tokenHash)
            memory.forget(session.tokenHash)
        }
        return WebResponse.redirect(to: "/login", notice: "You are signed out.").signingOut()
    }

    private func register(_ request: WebRequest) async throws -> WebResponse {
        let form = try await request.form()
        let input = RegistrationActions.Input(
            name: form.text("name"), email: form.text("email"), password: form.raw("password") ?? "",
            workspaceName: form.text("workspaceName"), timeZone: form.text("timeZone"))
        do {
            switch try await registration.register(input) {
            case .registered(let user, let workspace):
                let token = try await services.database.transaction { transaction in
                    try await sessions.start(
                        user: user, workspace: workspace, userAgent: request.headers[.userAgent] ?? "", in: transaction)
                }
                return WebResponse.redirect(to: "/", notice: "Welcome. Your workspace is ready.").signingIn(
                    token: token)
            case .emailTaken:
                throw ValidationErrors("email", "There is already an account with this address. Sign in instead.")
            }
        } catch let errors as ValidationErrors {
            return .page(Self.registerPage(input, errors), status: .unprocessableContent)
        }
    }

    private static func registerPage(_ input: RegistrationActions.Input, _ errors: ValidationErrors) -> RegisterPage {
        RegisterPage(
            name: FormField("name", input.name, errors), email: FormField("email", input.email, errors),
            password: FormField("password", "", errors),
            workspaceName: FormField("workspaceName", input.workspaceName, errors), timeZone: input.timeZone,
            errors: errors)
    }

    private func requestReset(_ request: WebRequest) async throws -> WebResponse {
        let email = try await request.form().text("email")
        var errors = ValidationErrors()
        guard CredentialRules.checkEmail(email, &errors) != nil else {
            return .page(
                ForgottenPasswordPage(email: FormField("email", email, errors), errors: errors),
                status: .unprocessableContent)
        }
        try await resets.request(email: email)
        return .page(ForgottenPasswordPage(email: FormField("email", email), sent: true))
    }

    private func showReset(_ request: WebRequest) async throws -> WebResponse {
        let token = request.query.text("token")
        return WebResponse.page(ResetPasswordPage(token: token, valid: try await resets.isValid(token)))
            .header(.referrerPolicy, "no-referrer")
    }

    private func reset(_ request: WebRequest) async throws -> WebResponse {
        let form = try await request.form()
        let token = form.text("token")
        do {
            switch try await resets.reset(token: token, password: form.raw("password") ?? "") {
            case .changed:
                memory.forgetAll()
                return .redirect(to: "/login", notice: "Your password is changed. Sign in with the new one.")
            case .linkExpired:
                return .page(ResetPasswordPage(valid: false), status: .unprocessableContent)
            }
        } catch let errors as ValidationErrors {
            return .page(
                ResetPasswordPage(token: token, password: FormField("password", "", errors), errors: errors),
                status: .unprocessableContent)
        }
    }

    private func showInvitation(_ request: WebRequest) async throws -> WebResponse {
        let token = request.query.text("token")
        let page = try await invitationPage(token)
        return WebResponse.page(page).header(.referrerPolicy, "no-referrer")
    }

    private func invitationPage(_ token: String) async throws -> InvitationPage {
        guard let invitation = try await invitations.invitation(token: token) else { return InvitationPage() }
        let hasAccount = try await invitations.hasAccount(invitation)
        return InvitationPage(token: token, invitation: invitation, hasAccount: hasAccount)
    }

    private func accept(_ request: WebRequest) async throws -> WebResponse {
        let form = try await request.form()
        let token = form.text("token")
        var errors = ValidationErrors()
        do {
            let outcome = try await invitations.accept(
                token: token, name: form.text("name"), password: form.raw("password") ?? "",
                userAgent: request.headers[.userAgent] ?? "")
            switch outcome {
            case .joined(let session):
                return WebResponse.redirect(to: "/", notice: "Welcome to the workspace.").signingIn(token: session)
            case .linkExpired: break
            case .wrongPassword: errors.add("password", "This is not the password of your account.")
            }
        } catch let invalid as ValidationErrors {
            errors = invalid
        }
        var page = try await invitationPage(token)
        page.name = FormField("name", form.text("name"), errors)
        page.password = FormField("password", "", errors)
        page.errors = errors
        return .page(page, status: .unprocessableContent)
    }

    private func chooseTheme(_ request: WebRequest) async throws -> WebResponse {
        let form = try await request.form()
        let theme = form.text("theme")
        guard ["system", "light", "dark"].contains(theme) else {
            throw WebError.badRequest("The theme is system, light or dark.")
        }
        return WebResponse.redirect(to: LocalPath.safe(form.optional("next")) ?? "/").choosingTheme(theme)
    }
}

/// Paths of ours to go back to. Anything that a browser might read as another site's address is refused.
package enum LocalPath {
    package static func safe(_ path: String?) -> String? {
        guard let path, path.hasPrefix("/"), path.utf8.count <= 2000 else { return nil }
        let second = path.dropFirst().first
        guard second != "/", second != "\\" else { return nil }
        let isPlain = path.unicodeScalars.allSatisfy { $0.value > 32 && $0.value != 127 && $0 != "\\" }
        return isPlain ? path : nil
    }
}
