import Core
import Cryptography
import FoundationEssentials
import Glibc
import Logging
import Postgres
import Web

/// Everything a scenario plays on, made for it and taken away afterwards: a directory, a database, the portal as a
/// process of its own, and a workspace with somebody who may do everything in it.
struct BenchStage: Sendable {
    let options: BenchOptions
    let directory: String
    let databaseURL: String
    /// For preparing and checking; as the login, without the portal's limits.
    let database: Database
    let postmaster: pid_t?
    let postgresVersion: String
    private let cluster: EmbeddedPostgres?
    let secret: String

    /// Makes the stage, plays, and clears it away, whatever happened.
    static func with(_ options: BenchOptions, _ body: @Sendable (BenchStage) async throws -> Void) async throws {
        let directory = "/tmp/portal-bench-\(getpid())"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        var cluster: EmbeddedPostgres?
        do {
            if options.databaseURL == nil {
                let own = try EmbeddedPostgres(directory: "\(directory)/postgres", logger: quiet)
                cluster = own
                try await own.start()
            }
            let stage = try await BenchStage(options, directory: directory, cluster: cluster)
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await body(stage))
            } catch {
                outcome = .failure(error)
            }
            await stage.database.pool.shutDown()
            try outcome.get()
            await clear(directory, cluster)
        } catch {
            await clear(directory, cluster)
            throw error
        }
    }

    private static func clear(_ directory: String, _ cluster: EmbeddedPostgres?) async {
        await cluster?.stop()
        do {
            if let cluster, cluster.location.hasPrefix("/var/lib/") {
                try FileManager.default.removeItem(atPath: cluster.location)
            }
            try FileManager.default.removeItem(atPath: directory)
        } catch {
            BenchNotice.write("The bench could not remove \(directory): \(error)\n")
        }
    }

    private static var quiet: Logger {
        var logger = Logger(label: "bench")
        logger.logLevel = .error
        return logger
    }

    private init(_ options: BenchOptions, directory: String, cluster: EmbeddedPostgres?) async throws {
        self.options = options
        self.directory = directory
        self.cluster = cluster
        databaseURL = options.databaseURL ?? Self.url(of: cluster)
        secret = Hexadecimal.encode(SecureRandom.bytes(32))
        try await Migrator(directory: "\(options.resources)/migrations", address: databaseURL, logger: Self.quiet)
            .migrate()
        database = Database(
            PostgresPool(
                name: "bench", settings: .owner(address: databaseURL), limits: .init(minimum: 0, maximum: 2),
                logger: Self.quiet))
        let (backend, version) = try await database.session { session in
            let backend = try await session.value(Int.self, "bench.backend", "SELECT pg_backend_pid()::bigint")
            let version = try await session.value(
                String.self, "bench.version", "SELECT current_setting('server_version')")
            return (backend, version)
        }
        postgresVersion = version
        postmaster = ProcessTable.parent(of: pid_t(backend))
    }

    /// The cluster's socket as a URL, which is what the portal's settings take.
    private static func url(of cluster: EmbeddedPostgres?) -> String {
        let address = cluster?.connectionString ?? ""
        let socket = address.split(separator: "'").dropFirst().first.map(String.init) ?? ""
        return "postgresql:///\(EmbeddedPostgres.databaseName)"
            + PercentEncoding.query([("host", socket), ("user", "marketing")])
    }

    // MARK: The portal

    /// Starts a portal on this stage's database and waits until it answers `/readyz`.
    func startPortal(_ number: Int = 1, changes: [String: String] = [:]) async throws -> BenchPortal {
        let port = LoopbackSocket.freePort()
        var environment: [String: String] = [
            "MARKETING_DATABASE_URL": databaseURL, "MARKETING_JWT_SECRET": secret,
            "MARKETING_ENCRYPTION_KEY": Hexadecimal.encode(SHA256.hash(secret)),
            "MARKETING_VAR_DIR": "\(directory)/var-\(number)", "MARKETING_PORTAL_PORT": "\(port)",
            "MARKETING_API_PORT": "\(port)", "MARKETING_API_PUBLIC_URL": "http://127.0.0.1:\(port)",
            "MARKETING_RESOURCES_DIR": options.resources,
        ]
        environment.merge(changes) { _, new in new }
        let log = "\(directory)/portal-\(number).log"
        let process = try BenchProcess.start(
            options.program, ["serve"], environment: environment.filter { !$0.value.isEmpty }, log: log)
        let client = BenchClient(port: port)
        while MonotonicTime.seconds(since: process.startedAt) < 60 {
            if process.hasEnded() { break }
            if let answer = try await client.ask("GET", "/readyz"), answer.status == 200 {
                return BenchPortal(
                    process: process, client: client, log: log,
                    startSeconds: MonotonicTime.seconds(since: process.startedAt))
            }
            try await Task.sleep(for: .milliseconds(2))
        }
        await process.stop()
        let tail = FileManager.default.contents(atPath: log).map { String(decoding: $0.suffix(2000), as: UTF8.self) }
        throw BenchError("The portal did not start.\n\(tail ?? "")")
    }

    /// Stops the database and starts it again.
    func restartDatabase() async throws {
        guard let cluster else { throw BenchError("Only a private database can be stopped.") }
        await cluster.stop()
        try await Task.sleep(for: .milliseconds(300))
        try await cluster.start()
    }

    func times(_ portals: BenchPortal...) -> ProcessorTimes {
        .now(portals: portals.map(\.process.id), postmaster: postmaster)
    }
}

/// A portal that runs for a bench.
struct BenchPortal: Sendable {
    let process: BenchProcess
    let client: BenchClient
    let log: String
    /// From starting the program to the first `/readyz` that says yes.
    let startSeconds: Double

    var port: Int { client.port }

    /// Makes a workspace with its owner.
    func register(_ name: String) async throws -> BenchAccount {
        let email = "\(name)-\(getpid())@example.com"
        return try await account(
            email, "/v1/auth/register", ["name": .string("Bench"), "workspaceName": .string("Bench \(name)")])
    }

    /// Signs in as the owner of a workspace that an earlier bench made.
    func signIn(again email: String) async throws -> BenchAccount {
        try await account(email, "/v1/auth/login", [:])
    }

    private func account(
        _ email: String, _ path: String, _ details: [String: JSONValue]
    ) async throws -> BenchAccount {
        let password = "a long enough bench password"
        var input: [String: JSONValue] = ["email": .string(email), "password": .string(password)]
        input.merge(details) { _, new in new }
        let answer = try await client.json("POST", path, .object(input))
        guard let token = answer["token"]?.stringValue,
            let workspace = answer["account"]?["id"]?.stringValue.flatMap({ WorkspaceID($0) })
        else { throw BenchError("\(path) answered neither token nor workspace.") }
        return BenchAccount(email: email, password: password, token: token, workspace: workspace)
    }

    /// Signs in as a browser does; answers the cookie header of the session.
    func signIn(_ account: BenchAccount) async throws -> String {
        guard let form = try await client.ask("GET", "/login"),
            let token = form.text.firstValue(after: "name=\"_csrf\" value=\"")
        else { throw BenchError("The page for signing in has no form.") }
        let body = PercentEncoding.query([("_csrf", token), ("email", account.email), ("password", account.password)])
            .dropFirst()
        let answer = try await client.ask(
            "POST", "/login",
            headers: [
                ("Cookie", form.cookies), ("Sec-Fetch-Site", "same-origin"),
                ("Content-Type", "application/x-www-form-urlencoded"),
            ],
            body: Array(body.utf8))
        guard let answer, answer.status == 303, answer.cookies.contains("sid=") else {
            throw BenchError("Signing in was answered with \(answer?.status ?? 0).")
        }
        return answer.cookies
    }
}

/// The owner of the bench's workspace.
struct BenchAccount: Sendable {
    let email: String
    let password: String
    let token: String
    let workspace: WorkspaceID
}

extension BenchClient.Answer {
    /// What a browser would send back.
    var cookies: String {
        headers.filter { $0.name == "set-cookie" }.compactMap { $0.value.split(separator: ";").first }
            .joined(separator: "; ")
    }
}

extension String {
    /// What stands between a text and the next quotation mark.
    func firstValue(after start: String) -> String? {
        guard let range = firstRange(of: start) else { return nil }
        return self[range.upperBound...].split(separator: "\"", maxSplits: 1).first.map(String.init)
    }
}

/// Words for whoever runs a bench; standard output is for the result alone.
enum BenchNotice {
    static func write(_ text: String) {
        _ = Array(text.utf8).withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
