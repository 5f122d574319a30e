import Logging
import ServiceLifecycle

/// A private PostgreSQL cluster for portals that are given no database: reachable through a unix socket in a directory
/// that only its user may enter, kept under `var/postgres`, stopped with the portal.
///
/// After `kill -9` the kernel stops the server too; whatever an earlier run has left is stopped and started again.
package final class EmbeddedPostgres: Service {
    private let keeper: ClusterKeeper
    private let logger: Logger

    /// The database that is made in the cluster.
    package static let databaseName: String = "marketing"

    /// - Parameter directory: `var/postgres`; made when missing.
    package convenience init(directory: String, logger: Logger = Logger(label: "portal.postgres")) throws {
        try self.init(directory: directory, options: ClusterOptions(), tie: .diesWithUs, logger: logger)
    }

    init(directory: String, options: ClusterOptions, tie: ChildProcess.Tie, logger: Logger) throws {
        keeper = try ClusterKeeper(directory: directory, options: options, tie: tie)
        self.logger = logger
    }

    /// A cluster for tests: nothing survives a crash, and it outlives the process that started it.
    package static func forTests(directory: String) throws -> EmbeddedPostgres {
        let options = ClusterOptions(isDurable: false, connections: 400)
        return try EmbeddedPostgres(
            directory: directory, options: options, tie: .none, logger: Logger(label: "tests.postgres"))
    }

    /// For `ConnectionSettings`: the owner of the database, over the socket.
    package var connectionString: String { connectionString(database: EmbeddedPostgres.databaseName) }

    package func connectionString(database: String) -> String {
        let socket: String = keeper.files.socket.split(separator: "'", omittingEmptySubsequences: false).joined(
            separator: "\\'")
        return "host='\(socket)' user=marketing dbname=\(database)"
    }

    /// Where the cluster's files are; differs from what was asked for when root's own directories cannot be entered
    /// by the server's user.
    package var location: String { keeper.files.home }

    /// Starts the cluster, making it first if need be; returns when it answers and the database is there.
    package func start() async throws {
        let begin: Deadline = .now
        if try await keeper.takeLock() {
            try await launch()
        } else {
            try await waitUntilReady(limit: .seconds(60))
        }
        try await makeDatabase()
        logger.info(
            "Private PostgreSQL is up",
            metadata: [
                "directory": "\(location)", "milliseconds": "\(begin.elapsedNanoseconds / 1_000_000)",
            ])
    }

    /// Starts only if nothing answers; for tests, whose processes share one cluster without a keeper.
    package func startUnlessRunning() async throws {
        while true {
            if (try? await waitUntilReady(limit: .zero)) != nil { return try await makeDatabase() }
            if try await keeper.takeLock() { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        if (try? await waitUntilReady(limit: .zero)) == nil {
            try await launch()
        }
        try await makeDatabase()
        await keeper.releaseLock()
    }

    /// After a server was killed its last processes linger for a moment and a new one gives up at once, so the start is
    /// tried again for a while.
    private func launch() async throws {
        try await stopLeftover()
        try await keeper.makeCluster()
        let patience: Deadline = .after(.seconds(10))
        while true {
            try await keeper.startServer()
            do {
                return try await waitUntilReady(limit: .seconds(60))
            } catch let error as EmbeddedPostgresError {
                guard await keeper.hasServerEnded(), !patience.hasPassed else { throw error }
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    /// Stops the cluster and waits for its end. Does nothing when another portal keeps it.
    package func stop() async {
        guard await keeper.isKeeping else { return }
        await keeper.signalServer(isPatient: true)
        for round in 0..<1500 {
            if await keeper.hasServerEnded(), await keeper.leftoverServer() == nil { break }
            if round == 1000 {
                logger.warning("Private PostgreSQL is slow to stop")
                await keeper.signalServer(isPatient: false)
            }
            await pause()
        }
        await keeper.releaseLock()
    }

    /// Keeps the cluster up until the portal shuts down, then stops it. It must stand before the pools in the list of
    /// services, which are shut down in reverse order.
    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: .milliseconds(500))) != nil {
                guard try await self.keeper.takeLock(), await self.keeper.hasServerEnded() else { continue }
                self.logger.error("Private PostgreSQL has ended by itself and is started again")
                try await self.start()
            }
        }
        await stop()
    }

    private func stopLeftover() async throws {
        for round in 0..<1500 {
            guard let process = await keeper.leftoverServer() else { return }
            if round == 0 {
                logger.notice("Stopping the PostgreSQL of an earlier run")
                await keeper.signal(process, isPatient: true)
            }
            if round == 1000 { await keeper.signal(process, isPatient: false) }
            await pause()
        }
        throw EmbeddedPostgresError("The PostgreSQL of an earlier run does not stop. Its data is in \(location).")
    }

    /// Ten milliseconds, cancelled or not: a stop must be seen through.
    private func pause() async {
        await Task { try? await Task.sleep(for: .milliseconds(10)) }.value
    }

    private func waitUntilReady(limit: Duration) async throws {
        let deadline: Deadline = .after(limit)
        var settings: ConnectionSettings = .owner(address: connectionString(database: "postgres"))
        settings.connectTimeout = .seconds(2)
        while true {
            do {
                return try await PostgresConnection.with(settings) { _ in }
            } catch let error as PostgresError {
                if case .cancelled = error { throw error }
                if deadline.hasPassed {
                    throw EmbeddedPostgresError("PostgreSQL does not answer.\n\(keeper.files.logTail)")
                }
                if limit > .zero, await keeper.hasServerEnded(), keeper.files.runningServer == nil {
                    throw EmbeddedPostgresError("PostgreSQL could not start.\n\(keeper.files.logTail)")
                }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    private func makeDatabase() async throws {
        let settings: ConnectionSettings = .owner(address: connectionString(database: "postgres"))
        try await PostgresConnection.with(settings) { session in
            let exists: Bool = try await session.value(
                Bool.self, "cluster.database",
                "SELECT EXISTS (SELECT FROM pg_database WHERE datname = \(EmbeddedPostgres.databaseName))")
            if exists { return }
            try await session.command("cluster.createDatabase", "CREATE DATABASE marketing")
        }
    }
}
