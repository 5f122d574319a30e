import Core
import Postgres

/// A part of everybody, for one of several connections to look at.
enum RuleSlice: Sendable, Equatable {
    /// Those from one id on, up to another. Deeds and members of lists stand in the same order, so they are cut alike.
    case people(from: ContactID?, to: ContactID?)
    /// Those on some pages of the table, up to another page. Cheaper, where nothing is joined and few people of other
    /// workspaces stand between.
    case pages(from: Int, to: Int?)

    /// Parts with about as many people each.
    /// - Parameter some: ids of people spread over all of them, sorted.
    static func people(_ some: [ContactID], parts: Int) -> [RuleSlice] {
        let ends: [ContactID?] = (1..<parts).map { some[some.count * $0 / parts] } + [nil]
        return zip([nil] + ends, ends).map { .people(from: $0, to: $1) }
    }

    static func pages(_ count: Int, parts: Int) -> [RuleSlice] {
        (0..<parts).map { part in
            .pages(from: count * part / parts, to: part + 1 < parts ? count * (part + 1) / parts : nil)
        }
    }

    /// Whether a person, as `c`, belongs to it.
    var condition: SQL {
        switch self {
        case .people: "true\(has("c.id"))"
        case .pages(let from, let to):
            "c.ctid >= \(Self.page(from))\(to.map { " AND c.ctid < \(Self.page($0))" as SQL } ?? "")"
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
    /// Whether everything that it reads can be cut as people are.
    var isSliceable: Bool { RuleNode.group(group).isSliceable }

    /// Whether people's own rows answer it.
    var isOfRows: Bool { RuleNode.group(group).isOfRow }
}

extension RuleNode {
    /// Whether everything that is long and joined can be cut as people are. Companies cannot, but are few; opens and clicks
    /// stand in the order of time, but an index alone tells whose they are. The ledger would be read as a whole each time.
    var isSliceable: Bool {
        switch self {
        case .group(let group): return group.nodes.allSatisfy(\.isSliceable)
        case .condition: return true
        case .behaviour(let behaviour):
            switch behaviour.kind {
            case .event: return true
            case .opened, .clicked: return behaviour.isEver || (behaviour.campaign == nil && !behaviour.isOfLedger)
            case .sent: return false
            }
        }
    }
}
