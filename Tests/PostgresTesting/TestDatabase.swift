import Core
import FoundationEssentials
import Logging
import Postgres

/// Databases for tests: each call gets one of its own, with all migrations applied, and drops it afterwards.
///
/// They are copies of a template in a private cluster under /tmp that all test processes share; it stops by itself when
/// the last of them is gone.
package enum TestDatabase {
    /// Runs the closure with a fresh, migrated database, as the app sees it: under the app's role.
    package static func withDatabase<Value>(
        connections: Int = 8, isolation: isolated (any Actor)? = #isolation,
        _ body: (Database) async throws -> Value
    ) async throws -> Value {
        try await withAddress { address in
            // A read that is made within another would wait for itself where many read; here it always does.
            let limits = PostgresPool.Limits(maximum: connections, quickReads: 1, wait: .seconds(60))
            let pool = PostgresPool(name: "tests", settings: settings(address), limits: limits)
            do {
                let value = try await body(Database(pool))
                await pool.shutDown()
                return value
            } catch {
                await pool.shutDown()
                throw error
            }
        }
    }

    /// Without haste: where all tests run at once on a small machine, what else takes milliseconds may take seconds, and a
    /// test of something else must not find the portal's own limits.
    private static func settings(_ address: String) -> ConnectionSettings {
        var settings = ConnectionSettings(address: address)
        settings.statementTimeout = .seconds(60)
        settings.lockTimeout = .seconds(60)
        settings.connectTimeout = .seconds(60)
        return settings
    }

    /// Runs the closure with the address of a fresh database, whose login owns everything in it.
    /// - Parameter isMigrated: false for an empty database.
    package static func withAddress<Value>(
        isMigrated: Bool = true, isolation: isolated (any Actor)? = #isolation,
        _ body: (String) async throws -> Value
    ) async throws -> Value {
        await TestGate.shared.enter()
        do {
            let value = try await withOwnDatabase(isMigrated: isMigrated, body)
            await TestGate.shared.leave()
            return value
        } catch {
            await TestGate.shared.leave()
            throw error
        }
    }

    private static func withOwnDatabase<Value>(
        isMigrated: Bool, isolation: isolated (any Actor)? = #isolation, _ body: (String) async throws -> Value
    ) async throws -> Value {
        let cluster = try await TestCluster.shared.cluster()
        let template: String = isMigrated ? try await TestCluster.shared.template() : "template0"
        let name: String = TestCluster.freshName()
        try await TestCluster.create(name, from: template, on: cluster)
        do {
            let value = try await body(cluster.connectionString(database: name))
            try await TestCluster.drop(name, on: cluster)
            return value
        } catch {
            try await TestCluster.drop(name, on: cluster)
            throw error
        }
    }

    /// Runs a statement as the owner of the database, past the wall: to look, or to set a stage.
    package static func asOwner<Value>(
        of database: Database, isolation: isolated (any Actor)? = #isolation,
        _ body: (PostgresAutocommit) async throws -> Value
    ) async throws -> Value {
        let address: String = database.pool.settings.address.reveal()
        return try await PostgresConnection.with(.owner(address: address), body)
    }
}
