import Core
import Postgres

/// A part of everybody, for one of several connections to look at.
enum RuleSlice: Sendable, Equatable {
    /// Those from one id on, up to another. Deeds and members of lists stand in the same order, so they are cut alike, and
    /// read side by side with people.
    case people(from: ContactID?, to: ContactID?)
    /// Those on some pages of the table, up to another page. Cheaper, where nothing is joined and few people of other
    /// workspaces stand between.
    case pages(from: Int, to: Int?)

    /// - Parameters:
    ///   - some: ids of people spread over all of them, sorted.
    ///   - ends: the share of all at which each part ends.
    static func people(_ some: [ContactID], ends: [Double]) -> [RuleSlice] {
        let inner: [ContactID?] = ends.dropLast().map { some[Int(Double(some.count) * $0)] }
        return zip([nil] + inner, inner + [nil]).map { .people(from: $0, to: $1) }
    }

    static func pages(_ count: Int, ends: [Double]) -> [RuleSlice] {
        let inner: [Int] = ends.dropLast().map { Int(Double(count) * $0) }
        return zip([0] + inner, inner + [nil]).map { .pages(from: $0, to: $1) }
    }

    /// Whether a person, as `c`, belongs to it; begins with `AND`.
    var condition: SQL {
        switch self {
        case .people: has("c.id")
        case .pages(let from, let to):
            " AND c.ctid >= \(Self.page(from))\(to.map { " AND c.ctid < \(Self.page($0))" as SQL } ?? "")"
        }
    }

    /// Leaves out rows of other tables that belong to people of other parts; begins with `AND`.
    func has(_ person: SQL) -> SQL {
        guard case .people(let from, let to) = self else { return "" }
        var sql: SQL = ""
        if let from { sql += " AND \(person) >= \(from)" }
        if let to { sql += " AND \(person) < \(to)" }
        return sql
    }

    private static func page(_ number: Int) -> SQL { "\("(\(number),0)")::text::tid" }
}

extension RuleBranch {
    /// Whether people's own rows answer it.
    var isOfRows: Bool { RuleNode.group(group).isOfRow }
}
