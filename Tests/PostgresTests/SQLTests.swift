import Core
import FoundationEssentials
import Postgres
import PostgresTesting
import Testing

@Suite("SQL")
struct SQLTests {
    @Test("values are bound, whatever they contain")
    func injection() async throws {
        let hostile: [String] = [
            "'; DROP TABLE people; --", "$1", "\\'", "\"", "a' OR '1'='1", "/*", "';COMMIT;", "%s",
        ]
        try await TestDatabase.withDatabase { database in
            try await database.session { session in
                try await session.run("test.table", "CREATE TEMP TABLE people (name text)")
                for name in hostile {
                    try await session.run("test.insert", "INSERT INTO people (name) VALUES (\(name))")
                }
                let names: [String] = try await session.values(String.self, "test.names", "SELECT name FROM people")
                #expect(names == hostile)
                let found: Int = try await session.value(
                    Int.self, "test.found", "SELECT count(*) FROM people WHERE name = \("a' OR '1'='1")")
                #expect(found == 1)
            }
        }
    }

    @Test("fragments keep their values and are numbered anew, ten and more of them")
    func fragments() async throws {
        let few: SQL = "\(1) + \(2)"
        let more: SQL = SQL.join((3...12).map { "\($0)" }, separator: " + ")
        let text: SQL = "'$1 stays' || \("x")"
        let query: SQL = "SELECT \(text), \(few) + \(more) + (\(few)), \(unsafe: "now() IS NOT NULL")"
        try await TestDatabase.withDatabase { database in
            try await database.session { session in
                let rows = try await session.rows(as: (String, Int, Bool).self, "test.fragments", query)
                #expect(rows.count == 1)
                #expect(rows.first?.0 == "$1 stays" + "x")
                #expect(rows.first?.1 == 81)
                #expect(rows.first?.2 == true)
                var filter: SQL = "TRUE"
                #expect(!filter.isEmpty && SQL.empty.isEmpty)
                filter += " AND \(5) > \(4)"
                let passes: Bool = try await session.value(
                    Bool.self, "test.filter", "SELECT \(filter + " AND \(true)")")
                #expect(passes)
            }
        }
    }

    @Test(
        "identifiers are quoted, and refused when they are none", arguments: ["x\"; DROP", "", "Üx", "a.b", "A", "1a"])
    func identifiers(name: String) async throws {
        try await TestDatabase.withDatabase { database in
            try await database.session { session in
                let one: Int = try await session.value(
                    Int.self, "test.identifier", "SELECT 1 AS \(identifier: "order")")
                #expect(one == 1)
                let error = await #expect(throws: PostgresError.self) {
                    try await session.run("test.identifier", "SELECT 1 AS \(identifier: name)")
                }
                guard case .encoding(query: "test.identifier", _)? = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
            }
        }
    }

    @Test("a value that has no form in the database is refused before anything is sent")
    func noForm() async throws {
        try await TestDatabase.withDatabase { database in
            try await database.session { session in
                await #expect(throws: PostgresError.self) {
                    try await session.run("test.infinite", "SELECT \(JSONValue.double(.infinity))")
                }
                let zero = await #expect(throws: PostgresError.self) {
                    try await session.run("test.zero", "SELECT \("a\u{0}b")")
                }
                #expect(zero?.sqlState == "22021")
                let after: Int = try await session.value(Int.self, "test.after", "SELECT 1")
                #expect(after == 1)
            }
        }
    }

    @Test("statements stay prepared, and the least used go when there are too many")
    func cache() async throws {
        try await TestDatabase.withAddress { address in
            var settings = ConnectionSettings(address: address)
            settings.preparedStatements = 4
            try await PostgresConnection.with(settings) { session in
                let held: SQL = "SELECT count(*) FROM pg_prepared_statements"
                for round in 0..<3 {
                    for count in 1...8 {
                        let columns: SQL = SQL.join((1...count).map { "\($0 + round)" }, separator: " + ")
                        let sum: Int = try await session.value(Int.self, "test.sum", "SELECT \(columns)")
                        #expect(sum == (1...count).map { $0 + round }.reduce(0, +))
                    }
                }
                #expect(try await session.value(Int.self, "test.held", held) <= 5)
                // A table that changes under a prepared statement is no surprise to its user.
                try await session.run("test.make", "CREATE TEMP TABLE shape (a int)")
                try await session.run("test.fill", "INSERT INTO shape VALUES (1)")
                let before: Int = try await session.value(Int.self, "test.shape", "SELECT * FROM shape")
                try await session.run("test.alter", "ALTER TABLE shape ALTER a TYPE bigint USING a + 1")
                let after: Int = try await session.value(Int.self, "test.shape", "SELECT * FROM shape")
                #expect(before == 1 && after == 2)
                try await session.run("test.forget", "DEALLOCATE ALL")
                #expect(try await session.value(Int.self, "test.shape", "SELECT * FROM shape") == 2)
            }
        }
    }

    @Test("a transaction of any isolation begins rightly on a connection that gives up statements before it")
    func evictedBeforeTransaction() async throws {
        try await TestDatabase.withAddress { address in
            var settings = ConnectionSettings(address: address)
            settings.preparedStatements = 2
            let pool = PostgresPool(name: "tests", settings: settings, limits: .init(maximum: 1))
            let database = Database(pool)
            for count in 1...6 {
                let level: String = try await database.transaction(isolation: .serializable) { tx in
                    let columns: SQL = SQL.join((1...count).map { "\($0)" }, separator: " + ")
                    _ = try await tx.value(Int.self, "test.sum", "SELECT \(columns)")
                    return try await tx.value(
                        String.self, "test.level", "SELECT current_setting('transaction_isolation')")
                }
                #expect(level == "serializable")
            }
            await pool.shutDown()
        }
    }

    @Test("queries of a pipeline share a round trip, and one that fails takes the others with it")
    func pipeline() async throws {
        try await TestDatabase.withDatabase { database in
            try await database.session { session in
                try await session.run("test.table", "CREATE TEMP TABLE numbers (n bigint PRIMARY KEY)")
                let (inserted, numbers, names) = try await session.pipeline(
                    Query<Int>.run("test.insert", "INSERT INTO numbers SELECT generate_series(1, 5)"),
                    Query.values(Int.self, "test.numbers", "SELECT n FROM numbers ORDER BY n"),
                    Query.rows(as: (String, Bool).self, "test.names", "SELECT \("x"), true"))
                #expect(inserted == [5])
                #expect(numbers == [1, 2, 3, 4, 5])
                #expect(names.first?.0 == "x")
                let error = await #expect(throws: PostgresError.self) {
                    _ = try await session.pipeline(
                        Query<Int>.run("test.first", "INSERT INTO numbers VALUES (6)"),
                        Query<Int>.run("test.second", "INSERT INTO numbers VALUES (1)"),
                        Query<Int>.run("test.third", "INSERT INTO numbers VALUES (7)"))
                }
                #expect(error?.queryName == "test.second")
                #expect(error?.isUniqueViolation(constraint: "numbers_pkey") == true)
                #expect(try await session.value(Int.self, "test.count", "SELECT count(*) FROM numbers") == 5)
                let counts = try await session.run([
                    Statement("test.a", "INSERT INTO numbers VALUES (8), (9)"),
                    Statement("test.b", "DELETE FROM numbers WHERE n > \(7)"),
                ])
                #expect(counts == [2, 2])
            }
        }
    }

    @Test("one, first and value say what they do when there is no row")
    func noRow() async throws {
        struct Number: PostgresRow, Equatable {
            static let columns: SQL = "n"
            let n: Int
            init(row: inout RowReader) throws { n = try row.next() }
        }
        let none: SQL = "SELECT \(Number.columns) FROM generate_series(1, 0) n"
        try await TestDatabase.withDatabase { database in
            try await database.session { session in
                let first: Number? = try await session.first(Number.self, "test.first", none)
                let value: Int? = try await session.value(Int?.self, "test.value", none)
                let all: [Number] = try await session.all(Number.self, "test.all", none)
                #expect(first == nil && value == nil && all.isEmpty)
                let errors: [PostgresError?] = [
                    await #expect(throws: PostgresError.self) {
                        _ = try await session.one(Number.self, "test.one", none)
                    },
                    await #expect(throws: PostgresError.self) {
                        _ = try await session.value(Int.self, "test.one", none)
                    },
                ]
                for error in errors {
                    guard case .noRow(query: "test.one")? = error else {
                        Issue.record("\(String(describing: error))")
                        return
                    }
                }
            }
        }
    }
}
