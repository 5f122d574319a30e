import Accounts
import Core
import Cryptography
import FoundationEssentials
import Hummingbird
import Jobs
import Logging
import Portal
import Postgres
import PostgresTesting
import Templates
import Web

/// The whole portal on a database of its own, without sockets: requests go straight to the responder.
package struct PortalFixture: Sendable {
    package let services: AppServices
    package let assembly: PortalAssembly
    package let varDirectory: String
    private let respond: @Sendable (Request) async throws -> Response

    /// The time it is in tests, unless they say otherwise: 15 January 2026, 09:30 UTC.
    package static let noon = Date(timeIntervalSince1970: 1_768_469_400)

    /// Runs the closure with a portal that has no accounts yet.
    package static func with<Value>(
        clock: WallClock = .system, isolation: isolated (any Actor)? = #isolation,
        _ body: (PortalFixture) async throws -> Value
    ) async throws -> Value {
        let directory = "/tmp/portal-test-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        return try await TestDatabase.withDatabase { database in
            try await body(try PortalFixture(database: database, clock: clock, varDirectory: directory))
        }
    }

    /// The same portal after a restart with another secret, and with the secrets before it where they are kept.
    package func restarted(secret: String, earlier: [String] = []) throws -> PortalFixture {
        try PortalFixture(
            database: services.database, clock: services.clock, varDirectory: varDirectory, secret: secret,
            earlier: earlier)
    }

    /// The same portal with other views, such as broken ones.
    package func showing(
        _ views: @escaping @Sendable () throws -> ViewLibrary
    ) throws -> PortalFixture {
        try PortalFixture(
            database: services.database, clock: services.clock, varDirectory: varDirectory, views: views)
    }

    /// The same portal as a node that only works through the queue.
    package func asWorker() throws -> PortalFixture {
        try PortalFixture(
            database: services.database, clock: services.clock, varDirectory: varDirectory, role: .worker)
    }

    /// The secret of a portal that was not restarted with another.
    package static let secret = "a secret for tests that is long enough"

    /// The key of host products that may name any tenant.
    package static let serviceKey = "a service key for tests"

    /// A call of a host product.
    package func service(
        _ method: HTTPRequest.Method, _ path: String, _ json: String? = nil, tenant: String? = "t-1",
        key: String = PortalFixture.serviceKey
    ) async throws -> TestResponse {
        var fields: HTTPFields = [.authorization: "Bearer \(key)"]
        if let tenant { fields[.externalTenantID] = tenant }
        if json != nil { fields[.contentType] = "application/json" }
        return try await send(method, path, headers: fields, body: Array((json ?? "").utf8))
    }

    private init(
        database: Database, clock: WallClock, varDirectory: String, secret: String = PortalFixture.secret,
        earlier: [String] = [], role: PortalRuntime.NodeRole = .all,
        views: (@Sendable () throws -> ViewLibrary)? = nil
    ) throws {
        var logger = Logger(label: "tests")
        logger.logLevel = .critical
        let keys = SigningKeys(secret: Array(secret.utf8), earlier: earlier.map { Array($0.utf8) })
        services = AppServices(
            database: database, jobs: JobQueue(), clock: clock,
            secrets: try SecretBox(current: keys.bytes(for: "tests"), older: keys.earlierBytes(for: "tests")),
            keys: keys, urls: PortalURLs(portalBase: "http://portal.test", publicBase: "http://mail.test"),
            passwords: PasswordHasher(cost: .quick), varDirectory: varDirectory, logger: logger)
        let library = try Self.library()
        let mailer = SystemMailer(
            smtp: nil, directory: varDirectory, views: { library }, clock: clock, send: { _, _, _, _ in },
            logger: logger)
        assembly = PortalAssembly(
            services: services, metrics: PrometheusRegistry(), readiness: Readiness(), mailer: mailer,
            serviceKey: Secret(Self.serviceKey), views: { try Self.library() })
        self.varDirectory = varDirectory
        let server = assembly.server(
            configuration: WebConfiguration(
                isSecure: false, key: keys.bytes(for: "web"), earlierKeys: keys.earlierBytes(for: "web"), clock: clock),
            views: views ?? { library }, assets: Assets(), role: role, logger: logger)
        let responder = server.responder()
        respond = { [logger] request in
            try await responder.respond(to: request, context: WebContext(peerAddress: "192.0.2.7", logger: logger))
        }
    }

    /// The project's root, wherever the tests were built.
    package static let root: String = {
        let file = URL(filePath: #filePath)
        return file.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    }()

    /// The project's views.
    package static func library() throws -> ViewLibrary { try views.get() }

    private static let views: Result<ViewLibrary, any Error> = Result {
        let assets = try Assets(directory: "\(root)/Public")
        return try PortalAssembly.views(in: "\(root)/Views", assets: assets)
    }

    /// Sends one request and reads the whole answer.
    /// - Parameter host: what the request says whom it is for.
    package func send(
        _ method: HTTPRequest.Method, _ path: String, host: String = "portal.test", headers: HTTPFields = [:],
        body: [UInt8] = []
    ) async throws -> TestResponse {
        let head = HTTPRequest(
            method: method, scheme: "http", authority: host, path: path, headerFields: headers)
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(bytes: body)))
        return try await TestResponse(reading: try await respond(request))
    }

    /// A browser without cookies.
    package func browser() -> TestBrowser {
        TestBrowser(portal: self)
    }

    /// Registers a person with a workspace of their own.
    package func register(_ name: String) async throws -> TestMember {
        let email = "\(name.lowercased())@example.com"
        let body = """
            {"email":"\(email)","password":"\(TestMember.password)","name":"\(name)","workspaceName":"\(name)’s workspace"}
            """
        let answer = try await send(
            .post, "/v1/auth/register", headers: [.contentType: "application/json"], body: Array(body.utf8))
        let json = try answer.json()
        guard answer.status == .created, let token = json["token"]?.stringValue,
            let workspace = json["account"]?["id"]?.stringValue.flatMap({ WorkspaceID($0) }),
            let user = json["user"]?["id"]?.stringValue.flatMap({ UserID($0) })
        else { throw TestFailure("registration failed: \(answer.text)") }
        return TestMember(
            portal: self, email: email, token: token,
            principal: Principal(user: user, workspace: workspace, role: .owner, name: name, email: email))
    }
}

/// Something that a test relied on did not happen.
package struct TestFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
