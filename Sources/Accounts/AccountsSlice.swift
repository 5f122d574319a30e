import Core
import Jobs
import Templates
import Web

/// Workspaces, the people in them, and how they prove who they are. All other slices stand on this one.
package struct AccountsSlice: Slice {
    private let services: AppServices
    private let sessions: SessionQueries
    private let memory: SessionMemory
    private let vocabulary: AuditVocabulary.Source

    /// - Parameter vocabulary: how the slices above name what the audit log's values stand for.
    package init(
        services: AppServices, vocabulary: @escaping AuditVocabulary.Source = { _, _, _, _ in AuditVocabulary() }
    ) {
        self.services = services
        self.vocabulary = vocabulary
        let sessions = SessionQueries(database: services.database, clock: services.clock)
        self.sessions = sessions
        memory = SessionMemory(clock: services.clock) { try await sessions.find($0) }
    }

    package static let pages: [any ViewPage.Type] = [
        LoginPage.self, RegisterPage.self, ForgottenPasswordPage.self, ResetPasswordPage.self, InvitationPage.self,
        ProfilePage.self, WorkspaceSettingsPage.self, MembersPage.self, MemberRemovalPage.self, AuditPage.self,
        QueuePage.self, WorkspaceChoicePage.self,
    ]

    package static let navigation: [NavItem] = [
        NavItem(title: "Settings", icon: "settings", href: "/settings", order: 90)
    ]

    /// How the web floor finds out who asks.
    /// - Parameter service: whom a service key stands for.
    package func sessionStore(
        service: @escaping @Sendable (ServiceCall) async throws -> Principal?
    ) -> SessionStore {
        let tokens = BearerTokens(services: services)
        return SessionStore(
            session: { [memory] in try await memory.session($0) }, bearer: { try await tokens.principal(of: $0) },
            service: service)
    }

    /// Where the answers to requests with an `Idempotency-Key` are kept.
    package var idempotencyStore: IdempotencyStore {
        let records = idempotency
        return IdempotencyStore(
            claim: { try await records.claim($0) }, keep: { try await records.keep($1, for: $0) },
            release: { try await records.release($0) })
    }

    private var idempotency: IdempotencyRecords {
        IdempotencyRecords(database: services.database, clock: services.clock)
    }

    /// Making accounts from the command line.
    package var administration: AccountAdministration {
        AccountAdministration(services: services, registration: registration, sessions: sessions)
    }

    private var registration: RegistrationActions { RegistrationActions(services: services) }

    private var throttle: LoginThrottle { LoginThrottle(database: services.database, clock: services.clock) }

    package func routes(_ table: inout RouteTable) {
        let signIn = SignInActions(services: services, sessions: sessions, throttle: throttle)
        let invitations = InvitationActions(services: services, registration: registration, sessions: sessions)
        SignInRoutes(
            services: services, signIn: signIn, registration: registration,
            resets: PasswordResetActions(services: services, sessions: sessions), invitations: invitations,
            sessions: sessions, memory: memory
        ).add(to: &table)
        AccountsRoutes(
            services: services, profile: ProfileActions(services: services, sessions: sessions),
            members: MemberActions(services: services, sessions: sessions), invitations: invitations,
            workspaces: WorkspaceActions(services: services), sessions: sessions, memory: memory
        ).add(to: &table)
        AuditRoutes(services: services, vocabulary: vocabulary).add(to: &table)
        QueueRoutes(services: services).add(to: &table)
        WorkspaceChoiceRoutes(services: services, sessions: sessions, memory: memory).add(to: &table)
        AccountsAPI(
            services: services, signIn: signIn, registration: registration, tokens: BearerTokens(services: services)
        ).add(to: &table)
    }

    package func jobs(_ registry: inout JobRegistry) {
        let services = services
        registry.register(FailedSignInJob.self) { job, _ in try await FailedSignIns(services: services).write(job) }
        registry.schedule("accounts.sweep", every: .seconds(3600)) { [self] _ in try await sweep() }
        let chain = auditChain
        registry.schedule("accounts.audit.chain", every: .seconds(60)) { _ in try await chain.chainWaiting() }
        registry.schedule("accounts.audit.verify", .daily(hour: 3, minute: 50), timeout: .seconds(3600)) { _ in
            try await chain.verifyAll()
        }
    }

    /// The chain over the audit log.
    package var auditChain: AuditChain { AuditChain(services: services) }

    /// Removes what has run out: sessions, failed tries to sign in, idempotency keys.
    package func sweep() async throws {
        try await sessions.removeExpired()
        try await throttle.sweep()
        try await idempotency.sweep()
    }
}
