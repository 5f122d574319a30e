import Core
import FoundationEssentials
import Postgres
import PostgresTesting
import Testing

@Suite("Migrations")
struct MigrationTests {
    private let first = MigrationFile(number: 1, name: "0001_first", text: "CREATE TABLE marketing_a (n int);")
    private let second = MigrationFile(
        number: 2, name: "0002_second",
        text: """
            -- a comment; with a semicolon
            CREATE TABLE marketing_b (t text DEFAULT 'a;b');

            INSERT INTO marketing_b VALUES ($x$;$x$);
            """)

    private func failure(_ body: () async throws -> Void) async -> MigrationError? {
        await #expect(throws: MigrationError.self) { try await body() }
    }

    @Test("each file is applied once, in order")
    func order() async throws {
        try await TestDatabase.withAddress(isMigrated: false) { address in
            let pending: [String] = try await Migrator(files: [first], address: address).pending()
            #expect(pending == ["0001_first"])
            #expect(try await Migrator(files: [first], address: address).migrate() == ["0001_first"])
            let both = Migrator(files: [first, second], address: address)
            #expect(try await both.pending() == ["0002_second"])
            #expect(try await both.migrate() == ["0002_second"])
            #expect(try await both.migrate() == [])
        }
    }

    @Test("a database of another version, and a file that was changed, are refused")
    func refusals() async throws {
        try await TestDatabase.withAddress(isMigrated: false) { address in
            try await Migrator(files: [first, second], address: address).migrate()
            let newer = await failure { try await Migrator(files: [first], address: address).migrate() }
            #expect(newer == .notAPrefix(applied: "0002_second", declared: nil))
            let renamed = MigrationFile(number: 2, name: "0002_other", text: second.text)
            let other = await failure { try await Migrator(files: [first, renamed], address: address).migrate() }
            #expect(other == .notAPrefix(applied: "0002_second", declared: "0002_other"))
            let edited = MigrationFile(number: 1, name: "0001_first", text: first.text + " ")
            let changed = await failure { try await Migrator(files: [edited, second], address: address).migrate() }
            #expect(changed == .changed(file: "0001_first"))
        }
    }

    @Test("a failing file leaves nothing behind and says where it failed")
    func failing() async throws {
        let broken = MigrationFile(
            number: 2, name: "0002_broken", text: "CREATE TABLE marketing_c (n int);\n\nSELECT 1,\n    nonsense;\n")
        try await TestDatabase.withAddress(isMigrated: false) { address in
            let error = await failure { try await Migrator(files: [first, broken], address: address).migrate() }
            guard case .failed("0002_broken", line: 4, statement: "SELECT 1,", let refusal)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(refusal.sqlState == "42703")
            let repaired: [String] = try await Migrator(files: [first, second], address: address).migrate()
            #expect(repaired == ["0002_second"])
            let escapes = MigrationFile(number: 3, name: "0003_escapes", text: "COMMIT; SELECT 1;")
            let left = await failure {
                try await Migrator(files: [first, second, escapes], address: address).migrate()
            }
            #expect(left == .leftTransaction(file: "0003_escapes"))
        }
    }

    @Test("a file may say that it runs outside a transaction")
    func concurrently() async throws {
        let index = MigrationFile(
            number: 2, name: "0002_index",
            text: """
                -- no-transaction
                CREATE INDEX CONCURRENTLY a_n ON marketing_a (n);
                CREATE INDEX CONCURRENTLY a_m ON marketing_a (n DESC);
                """)
        try await TestDatabase.withAddress(isMigrated: false) { address in
            async let one = Migrator(files: [first, index], address: address).migrate()
            async let two = Migrator(files: [first, index], address: address).migrate()
            let applied: [String] = try await one + two
            #expect(applied == ["0001_first", "0002_index"])
        }
    }

    @Test("any number of nodes may start at once")
    func manyNodes() async throws {
        try await TestDatabase.withAddress(isMigrated: false) { address in
            let applied: [[String]] = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<6 {
                    group.addTask { try await Migrator(files: [first, second], address: address).migrate() }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(applied.filter { !$0.isEmpty } == [["0001_first", "0002_second"]])
        }
    }
}
