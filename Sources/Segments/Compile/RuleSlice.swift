import Core
import Postgres

/// A part of everybody, for one of several connections to look at.
enum RuleSlice: Sendable, Equatable {
    /// Those from one id on, up to another. Deeds and members of lists stand in the same order, so they are cut alike.
    /// - Parameter middle: an id between the two.
    case people(from: ContactID?, middle: ContactID, to: ContactID?)
    /// Those on some pages of the table, up to another page. Cheaper, where nothing is joined and few people of other
    /// workspaces stand between.
    case pages(from: Int, to: Int?)

    /// Parts with about as many people each.
    /// - Parameter some: ids of people spread over all of them, sorted, at least two for each part.
    static func people(_ some: [ContactID], parts: Int) -> [RuleSlice] {
        func end(_ half: Int) -> ContactID? { (1..<2 * parts) ~= half ? some[some.count * half / (2 * parts)] : nil }
        return (0..<parts).map { part in
            .people(from: end(2 * part), middle: some[some.count * (2 * part + 1) / (2 * parts)], to: end(2 * part + 2))
        }
    }

    static func pages(_ count: Int, parts: Int) -> [RuleSlice] {
        (0..<parts).map { part in
            .pages(from: count * part / parts, to: part + 1 < parts ? count * (part + 1) / parts : nil)
        }
    }

    /// Whether a person, as `c`, belongs to it.
    ///
    /// Two ranges make PostgreSQL read the pages on which these people lie, one after the other, instead of following the
    /// index to each person: a fifth less for each.
    var condition: SQL {
        switch self {
        case .people(let from, let middle, let to):
            """
            (c.id < \(middle)\(from.map { " AND c.id >= \($0)" as SQL } ?? "")
                OR c.id >= \(middle)\(to.map { " AND c.id < \($0)" as SQL } ?? ""))
            """
        case .pages(let from, let to):
            "c.ctid >= \(Self.page(from))\(to.map { " AND c.ctid < \(Self.page($0))" as SQL } ?? "")"
        }
    }

    /// Leaves out rows of other tables that belong to people of other parts; begins with `AND`.
    func has(_ person: SQL) -> SQL {
        guard case .people(let from, _, let to) = self else { return "" }
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
