/// What can be asked of the database while a session or a transaction is open. Every query has a name, a static
/// string, that stands in the server's log, in metrics and in errors.
package protocol PostgresSession: Sendable {
    var lease: PostgresLease { get }
}

/// A connection outside any transaction: each statement commits by itself. For global tables only; it sees no
/// workspace.
package struct PostgresAutocommit: PostgresSession {
    package let lease: PostgresLease
}

/// An open transaction. It commits when its closure returns and rolls back when the closure throws.
package struct PostgresTransaction: PostgresSession {
    package let lease: PostgresLease
}

extension PostgresSession {
    /// All rows.
    package func all<Row: PostgresRow>(
        _: Row.Type, _ name: StaticString, _ sql: SQL
    ) async throws -> [Row] {
        try await fetch(name, sql) { row in try Row(row: &row) }
    }

    /// The first row, if any. Say `LIMIT 1` in the SQL: all rows that match travel.
    package func first<Row: PostgresRow>(
        _: Row.Type, _ name: StaticString, _ sql: SQL
    ) async throws -> Row? {
        try await fetch(name, sql, limit: 1) { row in try Row(row: &row) }.first
    }

    /// The first row. Throws `PostgresError.noRow` when there is none.
    package func one<Row: PostgresRow>(
        _: Row.Type, _ name: StaticString, _ sql: SQL
    ) async throws -> Row {
        guard let row = try await first(Row.self, name, sql) else { throw PostgresError.noRow(query: "\(name)") }
        return row
    }

    /// The first column of the first row. No row is nil when `Value` is optional, else `PostgresError.noRow`.
    package func value<Value: PostgresDecodable>(
        _: Value.Type, _ name: StaticString, _ sql: SQL
    ) async throws -> Value {
        if let value = try await fetch(name, sql, limit: 1, { row in try row.next(Value.self) }).first { return value }
        let nothing = PostgresCell(type: .unknown, bytes: nil)
        guard let absent = try? Value(from: nothing) else { throw PostgresError.noRow(query: "\(name)") }
        return absent
    }

    /// The first column of all rows.
    package func values<Value: PostgresDecodable>(
        _: Value.Type, _ name: StaticString, _ sql: SQL
    ) async throws -> [Value] {
        try await fetch(name, sql) { row in try row.next(Value.self) }
    }

    /// All rows as tuples: `rows(as: (String, Int).self, "name", sql)`.
    package func rows<each Value: PostgresDecodable>(
        as _: (repeat each Value).Type, _ name: StaticString, _ sql: SQL
    ) async throws -> [(repeat each Value)] {
        try await fetch(name, sql) { row in (repeat try row.next((each Value).self)) }
    }

    /// Runs a statement; answers how many rows it changed.
    @discardableResult
    package func run(_ name: StaticString, _ sql: SQL) async throws -> Int {
        try await lease.operate(name) { connection, operation in
            var affected: Int = 0
            try connection.exchange(operation, [Statement(name, sql)]) { _, result in affected = result.affectedRows }
            return affected
        }
    }

    /// Runs statements in one round trip, all or none of them; answers how many rows each changed. Send rows by
    /// `unnest`, not by many statements.
    @discardableResult
    package func run(_ statements: [Statement]) async throws -> [Int] {
        guard let first = statements.first else { return [] }
        return try await lease.operate(first.name) { connection, operation in
            var affected: [Int] = []
            try connection.exchange(operation, statements) { _, result in affected.append(result.affectedRows) }
            return affected
        }
    }

    /// Several queries in one round trip. When one fails, the whole pipeline does.
    package func pipeline<each Element: Sendable>(
        _ queries: repeat Query<each Element>
    ) async throws -> (repeat [each Element]) {
        var pending: [PendingQuery] = []
        let boxes = (repeat ResultBox<each Element>())
        repeat pending.append(PendingQuery(each queries, into: each boxes))
        guard let first = pending.first else { return (repeat (each boxes).elements) }
        try await lease.run(pending, first.statement.name)
        return (repeat (each boxes).elements)
    }

    func fetch<Element: Sendable>(
        _ name: StaticString, _ sql: SQL, limit: Int = .max,
        _ decode: @Sendable (inout RowReader) throws -> Element
    ) async throws -> [Element] {
        try await lease.operate(name) { connection, operation in
            var elements: [Element] = []
            try connection.exchange(operation, [Statement(name, sql)]) { _, result in
                let count: Int = min(limit, result.rowCount)
                elements.reserveCapacity(count)
                for row in 0..<count {
                    var reader = RowReader(result, row: row, query: name)
                    elements.append(try decode(&reader))
                }
            }
            return elements
        }
    }
}
