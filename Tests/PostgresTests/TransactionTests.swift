import Core
import FoundationEssentials
import Postgres
import PostgresTesting
import Synchronization
import Testing

@Suite("Transactions and the workspace wall")
struct TransactionTests {
    private func makeTable(_ database: Database) async throws {
        try await TestDatabase.asOwner(of: database) { session in
            try await session.run(
                "test.table",
                "CREATE TABLE marketing_things (workspace_id uuid NOT NULL, n bigint, PRIMARY KEY (workspace_id, n))")
            try await session.run("test.protect", "SELECT marketing_protect('marketing_things')")
        }
    }

    private let count: SQL = "SELECT count(*) FROM marketing_things"

    @Test("a workspace sees and writes its own rows alone")
    func wall() async throws {
        let ours = WorkspaceID(UUID())
        let theirs = WorkspaceID(UUID())
        try await TestDatabase.withDatabase { database in
            try await makeTable(database)
            for workspace in [ours, theirs] {
                try await database.write(workspace) { transaction in
                    _ = try await transaction.run(
                        "test.insert", "INSERT INTO marketing_things VALUES (\(workspace), 1), (\(workspace), 2)")
                }
            }
            let seen: Int = try await database.read(ours) { try await $0.value(Int.self, "test.count", count) }
            #expect(seen == 2)
            let foreign = await #expect(throws: PostgresError.self) {
                try await database.write(ours) { transaction in
                    _ = try await transaction.run("test.foreign", "INSERT INTO marketing_things VALUES (\(theirs), 3)")
                }
            }
            #expect(foreign?.sqlState == "42501")
            let deleted: Int = try await database.write(ours) { transaction in
                try await transaction.run("test.delete", "DELETE FROM marketing_things WHERE workspace_id = \(theirs)")
            }
            #expect(deleted == 0)
            let moved = await #expect(throws: PostgresError.self) {
                try await database.write(ours) { transaction in
                    _ = try await transaction.run(
                        "test.move", "UPDATE marketing_things SET workspace_id = \(theirs), n = 9")
                }
            }
            #expect(moved?.sqlState == "42501")
        }
    }

    @Test("after the transaction no workspace is set, and without one nothing is seen")
    func afterwards() async throws {
        let workspace = WorkspaceID(UUID())
        try await TestDatabase.withDatabase(connections: 1) { database in
            try await makeTable(database)
            try await database.write(workspace) { transaction in
                _ = try await transaction.run("test.insert", "INSERT INTO marketing_things VALUES (\(workspace), 1)")
            }
            try await database.session { session in
                let setting: String? = try await session.value(
                    String?.self, "test.setting", "SELECT current_setting('app.workspace_id', true)")
                #expect(setting == "" || setting == nil)
                #expect(try await session.value(Int.self, "test.count", count) == 0)
                let role: String = try await session.value(String.self, "test.role", "SELECT current_user")
                #expect(role == "marketing_app")
            }
            #expect(try await database.transaction { try await $0.value(Int.self, "test.count", count) } == 0)
            let unset = await #expect(throws: PostgresError.self) {
                try await database.session { session in
                    _ = try await session.run("test.insert", "INSERT INTO marketing_things VALUES (\(workspace), 2)")
                }
            }
            #expect(unset?.sqlState == "42501")
        }
    }

    @Test("partitions stand behind the wall too, and the app can have more made")
    func partitions() async throws {
        let workspace = WorkspaceID(UUID())
        try await TestDatabase.withDatabase { database in
            try await TestDatabase.asOwner(of: database) { session in
                try await session.run(
                    "test.table",
                    """
                    CREATE TABLE marketing_happenings (
                        workspace_id uuid NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (workspace_id, at)
                    ) PARTITION BY RANGE (at)
                    """)
                try await session.run("test.protect", "SELECT marketing_protect('marketing_happenings')")
                try await session.run("test.other", "CREATE TABLE marketing_plain (n int)")
            }
            let add: SQL = "SELECT marketing_add_month_partition('marketing_happenings', '2026-12-31')"
            let made: [Bool] = try await database.session { session in
                let first: Bool = try await session.value(Bool.self, "test.partition", add)
                return [first, try await session.value(Bool.self, "test.partition", add)]
            }
            #expect(made == [true, false])
            try await database.write(workspace) { transaction in
                _ = try await transaction.run(
                    "test.insert", "INSERT INTO marketing_happenings VALUES (\(workspace), '2026-12-31 23:59:59Z')")
            }
            let direct: Int = try await database.session { session in
                try await session.value(Int.self, "test.direct", "SELECT count(*) FROM marketing_happenings_2026_12")
            }
            #expect(direct == 0)
            let refused = await #expect(throws: PostgresError.self) {
                try await database.session { session in
                    _ = try await session.run(
                        "test.plain", "SELECT marketing_add_month_partition('marketing_plain', '2026-12-01')")
                }
            }
            #expect(refused?.sqlState == "22023")
            let forbidden = await #expect(throws: PostgresError.self) {
                try await database.session { session in
                    _ = try await session.run("test.drop", "DROP TABLE marketing_plain")
                }
            }
            #expect(forbidden?.sqlState == "42501")
        }
    }

    @Test("a transaction rolls back when its closure throws, and a read writes nothing")
    func rollback() async throws {
        struct Refusal: Error {}
        let workspace = WorkspaceID(UUID())
        try await TestDatabase.withDatabase(connections: 1) { database in
            try await makeTable(database)
            await #expect(throws: Refusal.self) {
                try await database.write(workspace) { transaction in
                    _ = try await transaction.run(
                        "test.insert", "INSERT INTO marketing_things VALUES (\(workspace), 1)")
                    throw Refusal()
                }
            }
            #expect(try await database.read(workspace) { try await $0.value(Int.self, "test.count", count) } == 0)
            let written = await #expect(throws: PostgresError.self) {
                try await database.read(workspace) { transaction in
                    _ = try await transaction.run(
                        "test.insert", "INSERT INTO marketing_things VALUES (\(workspace), 1)")
                }
            }
            #expect(written?.sqlState == "25006")
            // An error that was swallowed must not look like a commit.
            let swallowed = await #expect(throws: PostgresError.self) {
                try await database.write(workspace) { transaction in
                    _ = try await transaction.run(
                        "test.insert", "INSERT INTO marketing_things VALUES (\(workspace), 1)")
                    _ = try? await transaction.run("test.bad", "SELECT 1 / 0")
                }
            }
            guard case .misuse? = swallowed else {
                Issue.record("\(String(describing: swallowed))")
                return
            }
            #expect(try await database.read(workspace) { try await $0.value(Int.self, "test.count", count) } == 0)
            try await database.write(workspace) { _ in }
        }
    }

    @Test(
        "a transaction of one statement commits in the same round trip, behind the wall, and leaves nothing when it fails"
    )
    func oneStatement() async throws {
        let ours = WorkspaceID(UUID())
        let theirs = WorkspaceID(UUID())
        try await TestDatabase.withDatabase { database in
            try await makeTable(database)
            let written = try await database.write(
                ours, "test.one", "INSERT INTO marketing_things VALUES (\(ours), 1), (\(ours), 2)")
            #expect(written == 2)
            let repeated = await #expect(throws: PostgresError.self) {
                try await database.write(
                    ours, "test.one", "INSERT INTO marketing_things VALUES (\(ours), 3), (\(ours), 1)")
            }
            #expect(repeated?.isUniqueViolation(constraint: "marketing_things_pkey") == true)
            let foreign = await #expect(throws: PostgresError.self) {
                try await database.write(ours, "test.one", "INSERT INTO marketing_things VALUES (\(theirs), 1)")
            }
            #expect(foreign?.sqlState == "42501")
            // The connections are as good as new.
            for _ in 0..<8 {
                let seen: Int = try await database.read(ours) { try await $0.value(Int.self, "test.count", count) }
                #expect(seen == 2)
            }
            let none: Int = try await database.read(theirs) { try await $0.value(Int.self, "test.count", count) }
            #expect(none == 0)
        }
    }

    @Test("a read beside another sees what that one sees, in its workspace alone, where a connection is to spare")
    func beside() async throws {
        let workspace = WorkspaceID(UUID())
        try await TestDatabase.withDatabase(connections: 3) { database in
            try await makeTable(database)
            _ = try await database.write(workspace) { tx in
                try await tx.run("test.insert", "INSERT INTO marketing_things VALUES (\(workspace), 1)")
            }
            try await database.read(workspace, isolation: .repeatableRead) { tx in
                let name: String = try await tx.value(String.self, "test.snapshot", "SELECT pg_export_snapshot()")
                let snapshot = try #require(Snapshot(name: name))
                _ = try await database.write(workspace) { other in
                    try await other.run("test.insert", "INSERT INTO marketing_things VALUES (\(workspace), 2)")
                }
                #expect(database.spareConnections == 1)
                let beside: Int? = try await database.readBeside(workspace, seeing: snapshot) { other in
                    // Two are in use now; the third stays for whoever comes next.
                    #expect(database.spareConnections == 0)
                    let none: Int? = try await database.readBeside(workspace, seeing: snapshot) { _ in 1 }
                    #expect(none == nil)
                    return try await other.value(Int.self, "test.count", count)
                }
                #expect(beside == 1)
                let foreign: Int? = try await database.readBeside(WorkspaceID(UUID()), seeing: snapshot) { other in
                    try await other.value(Int.self, "test.count", count)
                }
                #expect(foreign == 0)
                let writing = await #expect(throws: PostgresError.self) {
                    try await database.readBeside(workspace, seeing: snapshot) { other in
                        try await other.run("test.insert", "INSERT INTO marketing_things VALUES (\(workspace), 3)")
                    }
                }
                #expect(writing?.sqlState == "25006")
            }
            let now: Int = try await database.read(workspace) { try await $0.value(Int.self, "test.count", count) }
            #expect(now == 2)
        }
        #expect(Snapshot(name: "00000003-0000001B-1") != nil)
        #expect(["", "1'; DROP TABLE x", "1 2", "é"].allSatisfy { Snapshot(name: $0) == nil })
    }

    @Test("a session refuses use after its closure has ended")
    func escaped() async throws {
        try await TestDatabase.withDatabase { database in
            let session = try await database.session { $0 }
            let error = await #expect(throws: PostgresError.self) { try await session.run("test.late", "SELECT 1") }
            guard case .misuse? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            let transaction = try await database.transaction { $0 }
            await #expect(throws: PostgresError.self) { try await transaction.run("test.late", "SELECT 1") }
        }
    }

    @Test("transactions that get in each other's way are tried again")
    func retry() async throws {
        try await TestDatabase.withDatabase { database in
            try await TestDatabase.asOwner(of: database) { session in
                try await session.run("test.table", "CREATE TABLE marketing_counter (n bigint)")
                try await session.run("test.row", "INSERT INTO marketing_counter VALUES (0)")
                try await session.run("test.global", "SELECT marketing_global('marketing_counter')")
            }
            let attempts = Mutex(0)
            try await database.transaction(isolation: .serializable) { transaction in
                let attempt: Int = attempts.withLock { attempts in
                    attempts += 1
                    return attempts
                }
                let n: Int = try await transaction.value(Int.self, "test.read", "SELECT n FROM marketing_counter")
                if attempt < 3 {
                    // Somebody else changes the row in between.
                    try await database.session { session in
                        _ = try await session.run("test.between", "UPDATE marketing_counter SET n = n + 10")
                    }
                }
                _ = try await transaction.run("test.write", "UPDATE marketing_counter SET n = \(n + 1)")
            }
            #expect(attempts.withLock { $0 } == 3)
            let n: Int = try await database.session { session in
                try await session.value(Int.self, "test.read", "SELECT n FROM marketing_counter")
            }
            #expect(n == 21)
        }
    }

    @Test("closures run where the caller is: an actor, a task group, a plain function")
    func isolation() async throws {
        actor Counter {
            var total: Int = 0
            func add(from database: Database) async throws {
                total += try await database.session { session in
                    // Reads the actor's own state without hopping.
                    let start: Int = total
                    return try await session.value(Int.self, "test.add", "SELECT \(start) + 1") - start
                }
                try await database.transaction { transaction in
                    total += try await transaction.value(Int.self, "test.add", "SELECT 1")
                }
            }
        }
        try await TestDatabase.withDatabase(connections: 4) { database in
            let counter = Counter()
            try await counter.add(from: database)
            #expect(await counter.total == 2)
            let sum: Int = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 1...20 {
                    group.addTask {
                        try await database.session { try await $0.value(Int.self, "test.number", "SELECT \(number)") }
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 210)
            #expect(database.pool.usage.leased == 0)
            #expect(database.pool.usage.idle <= 4)
        }
    }
}
