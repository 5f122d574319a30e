/// What went wrong, with the query's name. The description is bland: it never holds a value, so it may be logged;
/// pages show words of their own.
package enum PostgresError: Error, Sendable {
    /// The server refused the statement.
    case server(ServerRefusal)
    /// The connection broke, or could not be made. When a statement was under way, nobody knows whether it was done.
    case connectionLost(query: String, reason: String)
    /// The time limit passed and the statement was cancelled.
    case timedOut(query: String)
    /// The calling task was cancelled and the statement with it.
    case cancelled(query: String)
    /// No connection became free within the pool's wait limit, or too many were waiting already.
    case poolExhausted(pool: String)
    /// The pool has been shut down.
    case poolClosed(pool: String)
    /// `one` and `value` found nothing.
    case noRow(query: String)
    /// A column could not be read as the type asked for. Names types, never the value.
    case decoding(query: String, column: String, problem: String)
    /// The statement could not be built: a refused identifier or a value that has no form in the database.
    case encoding(query: String, problem: String)
    /// The API was used in a way it does not allow: a session after its closure ended, a query during a stream.
    case misuse(query: String, problem: String)
}

/// An error answer of the server (its fields, PostgreSQL manual 55.8), without the parts that may quote values.
package struct ServerRefusal: Sendable, Equatable {
    package let query: String
    /// Five characters, PostgreSQL manual appendix A.
    package let sqlState: String
    /// The primary message when its class never quotes values, else empty.
    package let message: String
    package let table: String?
    package let column: String?
    package let constraint: String?
    /// Where in the statement, counted in characters from 1.
    package let position: Int?
}

extension PostgresError {
    /// Nil when the error did not come from the server.
    package var sqlState: String? {
        guard case .server(let refusal) = self else { return nil }
        return refusal.sqlState
    }

    package var constraint: String? {
        guard case .server(let refusal) = self else { return nil }
        return refusal.constraint
    }

    /// The name given with the query; the pool's name when no query was reached.
    package var queryName: String {
        switch self {
        case .server(let refusal): refusal.query
        case .connectionLost(let query, _), .timedOut(let query), .cancelled(let query), .noRow(let query): query
        case .decoding(let query, _, _), .encoding(let query, _), .misuse(let query, _): query
        case .poolExhausted(let pool), .poolClosed(let pool): pool
        }
    }

    /// A row with the same key exists (23505); of any constraint, or of the one named.
    package func isUniqueViolation(constraint name: String? = nil) -> Bool {
        sqlState == "23505" && (name == nil || constraint == name)
    }

    /// A row that is referred to does not exist, or is still referred to (23503).
    package func isForeignKeyViolation(constraint name: String? = nil) -> Bool {
        sqlState == "23503" && (name == nil || constraint == name)
    }

    /// Another transaction was in the way and the same transaction may be tried again: serialization failure, deadlock.
    package var isRetryable: Bool {
        sqlState == "40001" || sqlState == "40P01"
    }

    package var isConnectionLost: Bool {
        if case .connectionLost = self { return true }
        return false
    }
}

extension PostgresError: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String {
        switch self {
        case .server(let refusal): refusal.description
        case .connectionLost(let query, let reason): "\(query): the database connection was lost (\(reason))"
        case .timedOut(let query): "\(query): took longer than its time limit"
        case .cancelled(let query): "\(query): cancelled"
        case .poolExhausted(let pool): "\(pool): no database connection became free in time"
        case .poolClosed(let pool): "\(pool): the pool of database connections is closed"
        case .noRow(let query): "\(query): no row"
        case .decoding(let query, let column, let problem): "\(query): column \(column) \(problem)"
        case .encoding(let query, let problem), .misuse(let query, let problem): "\(query): \(problem)"
        }
    }

    package var debugDescription: String { description }
}

extension ServerRefusal: CustomStringConvertible {
    package var description: String {
        var text = "\(query): the database refused with SQLSTATE \(sqlState)"
        if let constraint { text += ", constraint \(constraint)" }
        if !message.isEmpty { text += ": \(message)" }
        return text
    }
}
