import CLibPQ

/// A result of libpq, freed with this value.
struct PostgresResult: ~Copyable {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        PQclear(pointer)
    }

    var status: ExecStatusType { PQresultStatus(pointer) }
    var rowCount: Int { Int(PQntuples(pointer)) }
    var columnCount: Int { Int(PQnfields(pointer)) }

    /// Rows changed, or read; 0 for statements that count nothing.
    var affectedRows: Int {
        guard let text = PQcmdTuples(pointer) else { return 0 }
        return Int(String(cString: text)) ?? 0
    }

    /// `COMMIT`, `ROLLBACK` …
    var commandTag: String {
        guard let text = PQcmdStatus(pointer) else { return "" }
        return String(cString: text)
    }

    func columnName(_ column: Int) -> String {
        guard let name = PQfname(pointer, Int32(truncatingIfNeeded: column)) else { return "\(column + 1)" }
        return String(cString: name)
    }

    func cell(row: Int, column: Int) -> PostgresCell {
        let row = Int32(truncatingIfNeeded: row)
        let column = Int32(truncatingIfNeeded: column)
        let type = PostgresType(oid: PQftype(pointer, column))
        if PQgetisnull(pointer, row, column) != 0 { return PostgresCell(type: type, bytes: nil) }
        let length = Int(PQgetlength(pointer, row, column))
        return PostgresCell(
            type: type, bytes: UnsafeRawBufferPointer(start: PQgetvalue(pointer, row, column), count: length))
    }

    private func field(_ code: Character) -> String? {
        guard let ascii = code.asciiValue, let text = PQresultErrorField(pointer, Int32(ascii)) else { return nil }
        return String(cString: text)
    }

    var sqlState: String? { field("C") }

    /// The server's answer as an error. Messages of classes that may quote values stay behind,
    /// unless the statement held no values of users.
    func refusal(query: String, keepsMessage: Bool = false) -> ServerRefusal {
        let state: String = sqlState ?? "XX000"
        let mayQuoteValues: Bool = state.hasPrefix("22") || state.hasPrefix("P0") || state.hasPrefix("38")
        return ServerRefusal(
            query: query, sqlState: state, message: mayQuoteValues && !keepsMessage ? "" : field("M") ?? "",
            table: field("t"),
            column: field("c"), constraint: field("n"), position: field("P").flatMap { Int($0) })
    }
}

/// Reads one row, column after column. It cannot leave the initializer that it is passed to.
package struct RowReader: ~Copyable {
    private let result: OpaquePointer
    private let row: Int32
    private let columns: Int32
    private var column: Int32 = 0
    private let query: StaticString

    init(_ result: borrowing PostgresResult, row: Int, query: StaticString) {
        self.result = result.pointer
        self.row = Int32(truncatingIfNeeded: row)
        self.columns = PQnfields(result.pointer)
        self.query = query
    }

    /// The next column. A wrong type or an unexpected NULL is an error that names statement and column.
    @_disfavoredOverload
    package mutating func next<Value: PostgresDecodable>(_: Value.Type = Value.self) throws -> Value {
        try read(nextCell())
    }

    /// The next column, which may be NULL. What may be missing is read as what it is, wherever both would do: asking for the
    /// type of an optional at run time costs as much as reading it.
    package mutating func next<Value: PostgresDecodable>(_: Value?.Type = Value?.self) throws -> Value? {
        let cell: PostgresCell = try nextCell()
        return cell.isNull ? nil : try read(cell)
    }

    private mutating func nextCell() throws -> PostgresCell {
        guard column < columns else {
            throw PostgresError.decoding(query: "\(query)", column: "\(column + 1)", problem: "is not in the result")
        }
        defer { column += 1 }
        let type = PostgresType(oid: PQftype(result, column))
        guard PQgetisnull(result, row, column) == 0 else { return PostgresCell(type: type, bytes: nil) }
        let bytes = UnsafeRawBufferPointer(
            start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
        return PostgresCell(type: type, bytes: bytes)
    }

    /// The value of the cell that was read last.
    private func read<Value: PostgresDecodable>(_ cell: PostgresCell) throws -> Value {
        do {
            return try Value(from: cell)
        } catch let mismatch as CellMismatch {
            let name: String = PQfname(result, column - 1).map { String(cString: $0) } ?? "\(column)"
            throw PostgresError.decoding(query: "\(query)", column: name, problem: mismatch.explanation)
        }
    }
}

/// A row as a Swift value: its columns and its decoder stand side by side, in the same order.
///
/// ```swift
/// struct ListRow: PostgresRow {
///     static let columns: SQL = "id, name"
///     let id: ContactListID, name: String
///     init(row: inout RowReader) throws { id = try row.next(); name = try row.next() }
/// }
/// ```
package protocol PostgresRow: Sendable {
    static var columns: SQL { get }
    init(row: inout RowReader) throws
}
