import FoundationEssentials
import Glibc
import Logging
import Postgres

/// The cluster behind `TestDatabase`, started once per process and shared between processes.
actor TestCluster {
    static let shared = TestCluster()

    private var starting: Task<EmbeddedPostgres, any Error>?
    private var templating: Task<String, any Error>?

    static let directory: String = "/tmp/portal-tests-\(geteuid())"
    static let migrations: String = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return root.deletingLastPathComponent().path + "/migrations"
    }()

    func cluster() async throws -> EmbeddedPostgres {
        if starting == nil { starting = Task { try await TestCluster.start() } }
        guard let starting else { throw CancellationError() }
        return try await starting.value
    }

    /// The name of the template database; it carries a hash of the migrations.
    func template() async throws -> String {
        let cluster = try await cluster()
        if templating == nil { templating = Task { try await TestCluster.makeTemplate(on: cluster) } }
        guard let templating else { throw CancellationError() }
        return try await templating.value
    }

    private static func start() async throws -> EmbeddedPostgres {
        let cluster = try EmbeddedPostgres.forTests(directory: directory)
        try UsersLock.join(directory: directory)
        try await cluster.startUnlessRunning()
        try await dropLeftovers(on: cluster)
        return cluster
    }

    static func freshName() -> String {
        "t\(getpid())_\(String(UInt64.random(in: .min ... .max), radix: 36))"
    }

    /// Copies the template's files. The other way, through the log, takes ten times as long, and a cluster that never
    /// confirms a write to the disk gains nothing by it.
    static func create(_ name: String, from template: String, on cluster: EmbeddedPostgres) async throws {
        try await PostgresConnection.with(maintenance(cluster)) { session in
            try await session.command(
                "tests.create",
                "CREATE DATABASE \(identifier: name) TEMPLATE \(identifier: template) STRATEGY file_copy")
        }
    }

    static func drop(_ name: String, on cluster: EmbeddedPostgres) async throws {
        try await PostgresConnection.with(maintenance(cluster)) { session in
            try await session.command("tests.drop", "DROP DATABASE IF EXISTS \(identifier: name) WITH (FORCE)")
        }
    }

    private static func maintenance(_ cluster: EmbeddedPostgres) -> ConnectionSettings {
        .owner(address: cluster.connectionString(database: "postgres"))
    }

    private static func makeTemplate(on cluster: EmbeddedPostgres) async throws -> String {
        let files = try MigrationFile.all(in: migrations)
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in files.map({ $0.name + "\n" + $0.text }).joined(separator: "\n").utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        let name: String = "template_\(String(hash, radix: 36))"
        let draft: String = freshName()
        try await PostgresConnection.with(maintenance(cluster)) { session in
            // One process makes it; the others wait here.
            _ = try await session.value(Bool.self, "tests.lock", "SELECT pg_advisory_lock(7) IS NULL")
            if try await exists(name, session) { return }
            try await session.command("tests.create", "CREATE DATABASE \(identifier: draft) TEMPLATE template0")
            try await Migrator(files: files, address: cluster.connectionString(database: draft)).migrate()
            try await waitUntilUnused(draft, session)
            try await session.command(
                "tests.rename", "ALTER DATABASE \(identifier: draft) RENAME TO \(identifier: name)")
        }
        return name
    }

    private static func exists(_ name: String, _ session: PostgresAutocommit) async throws -> Bool {
        try await session.value(
            Bool.self, "tests.exists", "SELECT EXISTS (SELECT FROM pg_database WHERE datname = \(name))")
    }

    /// A closed connection is gone a moment later.
    private static func waitUntilUnused(_ name: String, _ session: PostgresAutocommit) async throws {
        let question: SQL = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = \(name))"
        while try await session.value(Bool.self, "tests.used", question) { await Task.yield() }
    }

    /// Databases of test processes that were killed.
    private static func dropLeftovers(on cluster: EmbeddedPostgres) async throws {
        let names: [String] = try await PostgresConnection.with(maintenance(cluster)) { session in
            try await session.values(
                String.self, "tests.leftovers", "SELECT datname::text FROM pg_database WHERE datname ~ '^t[0-9]+_'")
        }
        for name in names {
            let digits: Substring = name.dropFirst().prefix { $0.isNumber }
            guard let process = pid_t(digits), kill(process, 0) != 0, errno == ESRCH else { continue }
            try await drop(name, on: cluster)
        }
    }
}

/// A shared lock that every test process holds as long as it lives. A small shell loop stops the cluster when nobody
/// holds it any more.
enum UsersLock {
    static func join(directory: String) throws {
        let path: String = directory + "/users.lock"
        let descriptor: Int32 = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0, flock(descriptor, LOCK_SH) == 0 else { throw CancellationError() }
        let watcher: String = """
            exec 9>"$1/watcher.lock" || exit 0
            flock -n 9 || exit 0
            while sleep 10; do
                if flock -n -x "$1/users.lock" true; then
                    process=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -INT "$process" 2>/dev/null
                    exit 0
                fi
            done
            """
        try spawn(["/bin/sh", "-c", watcher, "portal-test-watcher", directory])
    }

    private static func spawn(_ command: [String]) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor: Int32 in 0...2 {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        var words: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        guard posix_spawn(&process, command[0], &actions, &attributes, &words, environ) == 0 else {
            throw CancellationError()
        }
    }
}
