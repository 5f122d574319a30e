import Core
import FoundationEssentials
import Web

/// The JSON face of accounts.
struct AccountsAPI: Sendable {
    let services: AppServices
    let signIn: SignInActions
    let registration: RegistrationActions
    let tokens: BearerTokens

    private struct RegisterInput: StrictInput {
        let email: String
        let password: String
        let name: String
        let workspaceName: String
        let timeZone: String?

        static let memberNames: Set<String> = ["email", "password", "name", "workspaceName", "timeZone"]
    }

    private struct LoginInput: StrictInput {
        let email: String
        let password: String

        static let memberNames: Set<String> = ["email", "password"]
    }

    private struct UserOutput: Encodable {
        let id: UserID
        let email: String
        let name: String
        let role: Role
    }

    private struct AccountOutput: Encodable {
        let id: WorkspaceID
        let name: String
        let timeZone: String
        let locale: String
        let postalAddress: String
        let brandName: String
        let brandColor: String
        let brandLogo: String
        let trackOpens: Bool
        let trackClicks: Bool
        let createdAt: Date
        let updatedAt: Date

        init(_ workspace: Workspace) {
            id = workspace.id
            name = workspace.name
            timeZone = workspace.timeZone
            locale = workspace.locale
            postalAddress = workspace.postalAddress
            brandName = workspace.brandName
            brandColor = workspace.brandColor
            brandLogo = workspace.brandLogo
            trackOpens = workspace.trackOpens
            trackClicks = workspace.trackClicks
            createdAt = workspace.createdAt
            updatedAt = workspace.updatedAt
        }
    }

    /// The settings to change; what is absent stays.
    private struct SettingsInput: StrictInput {
        let name: String?
        let timeZone: String?
        let locale: String?
        let postalAddress: String?
        let brandName: String?
        let brandColor: String?
        let brandLogo: String?
        let trackOpens: Bool?
        let trackClicks: Bool?

        static let memberNames: Set<String> = [
            "name", "timeZone", "locale", "postalAddress", "brandName", "brandColor", "brandLogo", "trackOpens",
            "trackClicks",
        ]

        func applied(to workspace: Workspace) -> WorkspaceSettingsForm {
            var form = WorkspaceSettingsForm(workspace)
            if let name { form.name = name.trimmed }
            if let timeZone { form.timeZone = timeZone }
            if let locale { form.locale = locale }
            if let postalAddress { form.postalAddress = postalAddress.trimmed }
            if let brandName { form.brandName = brandName.trimmed }
            if let brandColor { form.brandColor = brandColor.lowercased() }
            if let brandLogo { form.brandLogo = brandLogo }
            if let trackOpens { form.trackOpens = trackOpens }
            if let trackClicks { form.trackClicks = trackClicks }
            return form
        }
    }

    private struct Session: Encodable {
        let token: String
        let expiresIn: Int
        let user: UserOutput
        let account: AccountOutput
    }

    private struct Me: Encodable {
        let user: UserOutput
        let account: AccountOutput
        // The workspace's own fields again at the top: the account is what was asked for.
        let id: WorkspaceID
        let name: String
    }

    func add(to routes: inout RouteTable) {
        routes.schema("User", Self.userSchema)
        routes.schema("Account", Self.accountSchema)
        routes.schema("Session", Self.sessionSchema)
        routes.api(.post, "/v1/auth/register", .anyone, Self.registerOperation, register)
        routes.api(.post, "/v1/auth/login", .anyone, Self.loginOperation, login)
        routes.api(.get, "/v1/account", .viewer, Self.accountOperation, account)
        routes.api(.patch, "/v1/account", .admin, Self.settingsOperation, changeSettings)
    }

    private func register(_ request: WebRequest) async throws -> WebResponse {
        let input = try await request.json(RegisterInput.self)
        let outcome = try await registration.register(
            RegistrationActions.Input(
                name: input.name.trimmed, email: input.email, password: input.password,
                workspaceName: input.workspaceName.trimmed, timeZone: input.timeZone ?? ""))
        switch outcome {
        case .emailTaken:
            throw WebError.conflict("There is already an account with this address.", code: "email_taken")
        case .registered(let user, let workspace):
            let principal = Principal(
                user: user, workspace: workspace, role: .owner, name: input.name.trimmed, email: input.email)
            return try .json(try await session(principal), status: .created)
        }
    }

    private func login(_ request: WebRequest) async throws -> WebResponse {
        let input = try await request.json(LoginInput.self)
        let outcome = try await signIn.check(
            email: input.email, password: input.password, address: request.clientAddress)
        switch outcome {
        case .signedIn(let membership):
            let principal = Principal(
                user: membership.user.id, workspace: membership.workspace, role: membership.role,
                name: membership.user.name, email: membership.user.email)
            return try .json(try await session(principal)).header(.cacheControl, "no-store")
        case .refused:
            throw WebError(
                .unauthorized, code: "wrong_credentials", detail: "The e-mail address or the password is wrong.",
                headers: [.wwwAuthenticate: "Bearer"])
        case .wait(let seconds):
            throw WebError.tooManyRequests(retryAfter: seconds, policy: LoginThrottle.policy)
        }
    }

    private func account(_ request: WebRequest) async throws -> WebResponse {
        try await me(try request.member)
    }

    private func me(_ principal: Principal) async throws -> WebResponse {
        let account = try await account(of: principal)
        return try .json(Me(user: Self.user(principal), account: account, id: account.id, name: account.name))
            .lastModified(account.updatedAt)
    }

    private func changeSettings(_ request: WebRequest) async throws -> WebResponse {
        let input = try await request.json(SettingsInput.self)
        let principal = try request.member
        guard let workspace = try await services.directory.workspace(principal.workspace) else {
            throw WebError.notFound
        }
        try await WorkspaceActions(services: services).save(input.applied(to: workspace), by: try request.scope)
        return try await me(principal)
    }

    private func session(_ principal: Principal) async throws -> Session {
        Session(
            token: try tokens.issue(user: principal.user, workspace: principal.workspace),
            expiresIn: BearerTokens.lifetime, user: Self.user(principal), account: try await account(of: principal))
    }

    private func account(of principal: Principal) async throws -> AccountOutput {
        guard let workspace = try await services.directory.workspace(principal.workspace) else {
            throw WebError.notFound
        }
        return AccountOutput(workspace)
    }

    private static func user(_ principal: Principal) -> UserOutput {
        UserOutput(id: principal.user, email: principal.email, name: principal.name, role: principal.role)
    }
}

// MARK: What the documentation says

extension AccountsAPI {
    private static let userSchema: APISchema = .object(
        [
            ("id", .id), ("email", .email), ("name", .string),
            ("role", .string(oneOf: Role.allCases.map(\.rawValue))),
        ], required: ["id", "email", "name", "role"])

    private static let accountSchema: APISchema = .object(
        [
            ("id", .id), ("name", .string), ("timeZone", .string), ("locale", .string), ("postalAddress", .string),
            ("brandName", .string), ("brandColor", .string), ("brandLogo", .string), ("trackOpens", .boolean),
            ("trackClicks", .boolean), ("createdAt", .dateTime), ("updatedAt", .dateTime),
        ],
        required: [
            "id", "name", "timeZone", "locale", "postalAddress", "brandName", "brandColor", "brandLogo", "trackOpens",
            "trackClicks", "createdAt", "updatedAt",
        ])

    private static let sessionSchema: APISchema = .object(
        [("token", .string), ("expiresIn", .integer), ("user", .ref("User")), ("account", .ref("Account"))],
        required: ["token", "expiresIn", "user", "account"])

    private static let registerOperation = APIOperation(
        id: "register", tag: "Accounts", summary: "Make an account with its first workspace",
        body: .object(
            [
                ("email", .email), ("password", .string(maxLength: 1024)), ("name", .string(maxLength: 100)),
                ("workspaceName", .string(maxLength: 100)), ("timeZone", .string),
            ], required: ["email", "password", "name", "workspaceName"]),
        status: 201, response: .ref("Session"), problems: [409])

    private static let loginOperation = APIOperation(
        id: "login", tag: "Accounts", summary: "Sign in and get a bearer token that is good for an hour",
        body: .object([("email", .email), ("password", .string(maxLength: 1024))], required: ["email", "password"]),
        response: .ref("Session"), problems: [401, 429])

    private static let meSchema: APISchema = .object(
        [("id", .id), ("name", .string), ("user", .ref("User")), ("account", .ref("Account"))],
        required: ["id", "name", "user", "account"])

    private static let accountOperation = APIOperation(
        id: "getAccount", tag: "Accounts", summary: "Who you are, which workspace you are in and its settings",
        response: meSchema)

    private static let settingsOperation = APIOperation(
        id: "updateAccount", tag: "Accounts", summary: "Change the workspace’s settings",
        details: """
            What is absent stays. `postalAddress` stands at the end of every campaign; without one no campaign is \
            sent. `brandColor` is `#` and six digits, `brandLogo` an https address, `timeZone` an IANA name; empty \
            texts remove.
            """,
        body: .object([
            ("name", .string(maxLength: 100)), ("timeZone", .string),
            ("locale", .string(oneOf: WorkspaceSettingsForm.locales.map(\.0))),
            ("postalAddress", .string(maxLength: 500)), ("brandName", .string(maxLength: 100)),
            ("brandColor", .string), ("brandLogo", .string), ("trackOpens", .boolean), ("trackClicks", .boolean),
        ]), response: meSchema)
}
