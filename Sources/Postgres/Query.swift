import Synchronization

/// One query of a pipeline, with how its rows become values.
package struct Query<Element: Sendable>: Sendable {
    let statement: Statement
    let decode: @Sendable (borrowing PostgresResult) throws -> [Element]

    private init(
        _ statement: Statement, _ decode: @escaping @Sendable (borrowing PostgresResult) throws -> [Element]
    ) {
        self.statement = statement
        self.decode = decode
    }

    fileprivate init(_ statement: Statement, row decode: @escaping @Sendable (inout RowReader) throws -> Element) {
        self.init(statement) { result in
            var elements: [Element] = []
            elements.reserveCapacity(result.rowCount)
            for row in 0..<result.rowCount {
                var reader = RowReader(result, row: row, query: statement.name)
                elements.append(try decode(&reader))
            }
            return elements
        }
    }

    /// The same query with each element made into another.
    package func map<Other: Sendable>(_ transform: @escaping @Sendable (Element) -> Other) -> Query<Other> {
        let decode = self.decode
        return Query<Other>(statement) { result in try decode(result).map(transform) }
    }

    /// The first column of all rows.
    package static func values(_: Element.Type, _ name: StaticString, _ sql: SQL) -> Query
    where Element: PostgresDecodable {
        Query(Statement(name, sql), row: { row in try row.next() })
    }

    /// All rows as tuples.
    package static func rows<each Value: PostgresDecodable>(
        as _: (repeat each Value).Type, _ name: StaticString, _ sql: SQL
    ) -> Query where Element == (repeat each Value) {
        Query(Statement(name, sql), row: { row in (repeat try row.next((each Value).self)) })
    }

    /// Answers one element: how many rows the statement changed.
    package static func run(_ name: StaticString, _ sql: SQL) -> Query where Element == Int {
        Query(Statement(name, sql)) { result in [result.affectedRows] }
    }
}

extension Query where Element: PostgresRow {
    package init(_: Element.Type, _ name: StaticString, _ sql: SQL) {
        self.init(Statement(name, sql), row: { row in try Element(row: &row) })
    }
}

/// Where the connection's thread leaves the rows of one query of a pipeline.
final class ResultBox<Element: Sendable>: Sendable {
    private let storage = Mutex<[Element]>([])

    var elements: [Element] {
        get { storage.withLock { $0 } }
        set { storage.withLock { $0 = newValue } }
    }
}

/// A query whose element type has been forgotten.
struct PendingQuery: Sendable {
    let statement: Statement
    let receive: @Sendable (borrowing PostgresResult) throws -> Void

    init<Element: Sendable>(_ query: Query<Element>, into box: ResultBox<Element>) {
        statement = query.statement
        receive = { result in box.elements = try query.decode(result) }
    }
}
