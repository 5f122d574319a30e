import Core
import FoundationEssentials
import Postgres
import PostgresTesting
import Synchronization
import Testing

@Suite("COPY and streams")
struct StreamTests {
    private struct Refusal: Error {}

    private func makeTable(_ session: some PostgresSession) async throws {
        _ = try await session.run(
            "test.table", "CREATE TEMP TABLE people (id bigint PRIMARY KEY, name text, at timestamptz)")
    }

    private func count(_ session: some PostgresSession) async throws -> Int {
        try await session.value(Int.self, "test.count", "SELECT count(*) FROM people")
    }

    @Test("rows go in by COPY, in text and in binary, and come out the same")
    func bothWays() async throws {
        try await TestDatabase.withDatabase { database in
            try await database.session { session in
                try await makeTable(session)
                let loaded: Int = try await session.copyIn(
                    "test.copy", "COPY people (id, name) FROM STDIN (FORMAT csv)"
                ) {
                    for start in stride(from: 0, to: 50_000, by: 1000) {
                        let lines: String = (start..<start + 1000).map { "\($0),\"Ünal, \"\"\($0)\"\"\"\n" }.joined()
                        try await $0.write(Array(lines.utf8))
                    }
                }
                #expect(loaded == 50_000)
                var rows = BinaryCopyRows()
                for id in 50_000..<60_000 {
                    try rows.append(id, id % 2 == 0 ? nil : "x", Date(timeIntervalSince1970: 5))
                }
                let chunk: [UInt8] = rows.finish()
                let more: Int = try await session.copyIn(
                    "test.copy", "COPY people FROM STDIN (FORMAT binary)",
                    chunks: AsyncStream { stream in
                        stream.yield(chunk)
                        stream.finish()
                    })
                #expect(more == 10_000)
                #expect(try await count(session) == 60_000)
                var text: [UInt8] = []
                try await session.copyOut(
                    "test.out",
                    "COPY (SELECT id, name FROM people WHERE id < \(30_000) AND name <> \("it's") ORDER BY id) TO STDOUT"
                ) { text.append(contentsOf: $0) }
                let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
                #expect(lines.count == 30_000)
                #expect(lines.first == "0\tÜnal, \"0\"")
                #expect(try await count(session) == 60_000)
            }
        }
    }

    @Test("a bad row in the middle loads nothing and leaves the connection usable")
    func badRow() async throws {
        try await TestDatabase.withDatabase { database in
            try await database.session { session in
                try await makeTable(session)
                let error = await #expect(throws: PostgresError.self) {
                    try await session.copyIn("test.copy", "COPY people (id, name) FROM STDIN") { writer in
                        try await writer.write(Array("1\ta\n2\tb\nthree\tc\n".utf8))
                        for id in 4..<2000 { try await writer.write(Array("\(id)\tx\n".utf8)) }
                    }
                }
                #expect(error?.sqlState == "22P02")
                #expect(error?.queryName == "test.copy")
                #expect(error.map { "\($0)" }?.contains("three") == false)
                #expect(try await count(session) == 0)
                await #expect(throws: Refusal.self) {
                    try await session.copyIn("test.copy", "COPY people (id, name) FROM STDIN") { writer in
                        try await writer.write(Array("1\ta\n".utf8))
                        throw Refusal()
                    }
                }
                #expect(try await count(session) == 0)
                let wrong = await #expect(throws: PostgresError.self) {
                    try await session.copyIn("test.copy", "COPY nowhere FROM STDIN") { _ in }
                }
                #expect(wrong?.sqlState == "42P01")
                await #expect(throws: PostgresError.self) {
                    try await session.copyIn("test.copy", "SELECT 1") { _ in }
                }
                #expect(try await count(session) == 0)
            }
        }
    }

    @Test("COPY inside a transaction is undone with it")
    func copyInTransaction() async throws {
        try await TestDatabase.withDatabase(connections: 1) { database in
            try await database.session { session in try await makeTable(session) }
            await #expect(throws: Refusal.self) {
                try await database.transaction { transaction in
                    _ = try await transaction.copyIn("test.copy", "COPY people (id, name) FROM STDIN") { writer in
                        try await writer.write(Array("1\ta\n".utf8))
                    }
                    #expect(try await count(transaction) == 1)
                    throw Refusal()
                }
            }
            #expect(try await database.session { try await count($0) } == 0)
        }
    }

    private struct Number: PostgresRow {
        static let columns: SQL = "n"
        let n: Int
        init(row: inout RowReader) throws { n = try row.next() }
    }

    @Test("rows stream one by one, and the session waits until the stream is over")
    func stream() async throws {
        try await TestDatabase.withDatabase(connections: 1) { database in
            try await database.transaction { transaction in
                var sum: Int = 0
                try await transaction.forEach(
                    Number.self, "test.stream", "SELECT \(Number.columns) FROM generate_series(1, \(5000)) n"
                ) { row in
                    sum += row.n
                    if row.n == 3 {
                        await #expect(throws: PostgresError.self) { try await transaction.run("test.busy", "SELECT 1") }
                    }
                }
                #expect(sum == 12_502_500)
                #expect(try await transaction.value(Int.self, "test.after", "SELECT 1") == 1)
            }
            let again: [Int] = try await database.session { session in
                var seen: [Int] = []
                for count in [1, 0, 300] {
                    try await session.forEach(Number.self, "test.again", "SELECT generate_series(1, \(count))") { row in
                        seen.append(row.n)
                    }
                    seen += try await session.values(Int.self, "test.after", "SELECT generate_series(1, 2)")
                }
                return seen
            }
            #expect(again == [1, 1, 2] + [1, 2] + Array(1...300) + [1, 2])
            // Leaving early gives the connection up; the next session has a new one.
            var seen: Int = 0
            await #expect(throws: Refusal.self) {
                try await database.session { session in
                    try await session.forEach(
                        Number.self, "test.endless", "SELECT generate_series(1, 100000000)"
                    ) { _ in
                        seen += 1
                        if seen == 10 { throw Refusal() }
                    }
                }
            }
            #expect(seen == 10)
            let late = await #expect(throws: PostgresError.self) {
                try await database.session { session in
                    try await session.forEach(
                        Number.self, "test.late", "SELECT 1 / (500 - n) FROM generate_series(1, 1000) n"
                    ) { _ in }
                }
            }
            #expect(late?.sqlState == "22012")
            #expect(try await database.session { try await $0.value(Int.self, "test.after", "SELECT 1") } == 1)
        }
    }
}
