import Core
import FoundationEssentials
import Postgres

/// Turns a rule into one condition on `marketing_contacts c`, with every value bound.
///
/// Counting, samples, membership, the nightly check and sending all use it. Questions about everybody may begin with
/// sets of people that indexes name (`RuleSets`); the condition is then compared on the people who are left.
package struct RuleCompiler: Sendable {
    /// How many people the statement looks at: it decides how often-did conditions are counted.
    package enum Reach: Sendable {
        case everybody
        /// Some hundreds of named people: each is looked up by itself.
        case few
    }

    let workspace: WorkspaceID
    let clock: RuleClock
    let ledger: any BehaviourLedger
    var reach: Reach
    /// The part of everybody that is looked at; nil for all.
    var slice: RuleSlice?
    /// Where people are read from their copies; they must tell all that the rule asks.
    var facts: RuleFacts?
    /// The positive forms of conditions that few people are left to be asked: they are looked up one by one (`RuleLookups`).
    var lookups: Set<RuleNode> = []
    /// Whether people are looked for in sets that are made first. What stands inside a group is no join, and PostgreSQL might
    /// ask `EXISTS` anew for each of very many people.
    private(set) var isInSets = false

    package init(
        _ workspace: WorkspaceID, clock: RuleClock, ledger: any BehaviourLedger, reach: Reach = .everybody
    ) {
        self.workspace = workspace
        self.clock = clock
        self.ledger = ledger
        self.reach = reach
    }

    /// Parts of everybody that are cut by ids are read by indexes, in their order: nothing else is left to PostgreSQL.
    var rows: WorkspaceRows {
        let areInOrder: Bool = if case .people = slice { true } else { false }
        return WorkspaceRows(workspace, areMany: areInOrder)
    }

    private var reading: RuleCost.Reading { facts != nil ? .copies : slice != nil ? .part : .people }

    /// A condition with what it says of people without a value.
    struct Piece {
        let sql: SQL
        /// Never NULL. Others say NULL for people without a value, which counts as no.
        var isSure = false

        var negated: Piece {
            Piece(sql: isSure ? "NOT (\(sql))" : "(\(sql)) IS NOT TRUE", isSure: true)
        }
    }

    /// True for who matches; false or NULL for everybody else.
    package func condition(_ group: RuleGroup) -> SQL {
        compile(group, negated: false).sql
    }

    /// Never NULL.
    package func decision(_ group: RuleGroup) -> SQL {
        let piece: Piece = compile(group, negated: false)
        return piece.isSure ? piece.sql : "(\(piece.sql)) IS TRUE"
    }

    /// The conditions that must all hold, written one after the other.
    func condition(_ nodes: [RuleNode]) -> SQL {
        let ordered: [RuleNode] = RuleCost.ordered(nodes, areAll: true, by: reading, last: lookups)
        return ordered.isEmpty ? "true" : all(ordered.map { ($0, compile($0, negated: false)) })
    }

    /// That all conditions hold, which stand in their order. Where one of two says NULL, PostgreSQL asks the other, so nobody is
    /// looked up before all others were seen to hold.
    private func all(_ pieces: [(node: RuleNode, piece: Piece)]) -> SQL {
        func together(_ pieces: ArraySlice<(node: RuleNode, piece: Piece)>) -> SQL {
            SQL.join(pieces.map { "(\($0.piece.sql))" }, separator: " AND ")
        }
        let last = pieces.drop { $0.node.expense(of: lookups) == .row }
        let first = pieces.dropLast(last.count)
        if first.isEmpty || last.isEmpty { return together(pieces[...]) }
        return "CASE WHEN \(together(first)) THEN \(together(last)) ELSE false END"
    }

    private func compile(_ group: RuleGroup, negated: Bool) -> Piece {
        // None of them is: not any of them. Negation travels to the conditions, where it becomes an anti-join.
        let isNegated: Bool = (group.match == .none) != negated
        let isAll: Bool = (group.match == .all) != isNegated
        var inside: RuleCompiler = self
        inside.isInSets = isInSets || slice != nil
        let pieces: [(node: RuleNode, piece: Piece)] = RuleCost.ordered(
            group.nodes, areAll: isAll, negated: isNegated, by: reading, last: lookups
        ).map { ($0, inside.compile($0, negated: isNegated)) }
        return Piece(
            sql: isAll ? all(pieces) : SQL.join(pieces.map { "(\($0.piece.sql))" }, separator: " OR "),
            isSure: pieces.allSatisfy(\.piece.isSure))
    }

    private func compile(_ node: RuleNode, negated: Bool) -> Piece {
        switch node {
        case .group(let group): return compile(group, negated: negated)
        case _ where lookups.contains(node.positive): return lookingUp.compile(node, negated: negated)
        case .condition(let condition):
            if let opposite = condition.comparison.opposite {
                return compile(
                    .condition(RuleCondition(condition.field, opposite, condition.value)), negated: !negated)
            }
            let piece: Piece = self.piece(condition)
            return negated ? piece.negated : piece
        case .behaviour(let behaviour):
            let isLess: Bool = if case .atLeast = behaviour.times { false } else { true }
            let piece = Piece(sql: did(behaviour, atLeast: behaviour.threshold), isSure: true)
            return isLess != negated ? piece.negated : piece
        }
    }

    /// Asks each person by itself.
    private var lookingUp: RuleCompiler {
        var compiler: RuleCompiler = self
        compiler.reach = .few
        compiler.slice = nil
        compiler.lookups = []
        compiler.isInSets = false
        return compiler
    }

    // MARK: Conditions

    private func piece(_ condition: RuleCondition) -> Piece {
        let (comparison, value) = (condition.comparison, condition.value)
        func column(_ subject: RuleSubject) -> Piece {
            Piece(sql: predicate(condition.field.kind, comparison, value, subject))
        }
        switch condition.field {
        case .email: return column(.text("c.email_key"))
        case .phone: return column(.text("c.phone"))
        case .firstName: return column(typed("c.first_name"))
        case .lastName: return column(typed("c.last_name"))
        case .source: return column(typed("c.source"))
        case .createdAt: return column(.moment("c.created_at"))
        case .trackingAllowed: return column(.flag("c.tracking_allowed"))
        case .consent(.email): return column(.flag("c.email_opt_in"))
        case .consent(.sms): return column(.flag("c.sms_opt_in"))
        case .tags: return column(facts == nil ? .texts("c.tags") : .fact(.tags))
        case .emailStatus: return emailStatus(comparison, value)
        case .company: return column(.id("c.company_id"))
        case .list: return Piece(sql: onList(value), isSure: true)
        case .property(let property):
            if let fact = facts?.columns[property.id] { return column(.fact(fact)) }
            // Whoever is looked at has their row at hand: its value costs less than a look at the table of fast ones.
            return column(.json("c.properties", property.name))
        case .companyField, .companyProperty: return Piece(sql: worksFor(condition), isSure: true)
        }
    }

    /// Copies are in lower case.
    private func typed(_ text: SQL) -> RuleSubject { facts == nil ? .typed(text) : .text(text) }

    /// Names the partial index of those who are not active.
    private func emailStatus(_ comparison: RuleOperator, _ value: RuleValue) -> Piece {
        let wanted: [String]
        switch value {
        case .text(let status): wanted = [status]
        case .texts(let statuses): wanted = statuses
        default: return Piece(sql: "true", isSure: true)
        }
        let hint: SQL = wanted.contains("active") ? "" : " AND c.email_status <> 'active'"
        return Piece(sql: "c.email_status = ANY (\(wanted))\(hint)", isSure: true)
    }

    /// Leaves out what belongs to people of other parts; begins with `AND`.
    func part(_ person: SQL) -> SQL { slice?.has(person) ?? "" }

    private func onList(_ value: RuleValue) -> SQL {
        guard case .ids(let lists) = value else { return "false" }
        let members: SQL = """
            FROM marketing_list_members m
            WHERE \(rows.of("m")) AND m.list_id = ANY (\(lists))\(part("m.contact_id"))
            """
        return isInSets
            ? "c.id IN (SELECT m.contact_id \(members))"
            : "EXISTS (SELECT \(members) AND m.contact_id = c.id\(fence))"
    }

    static func subject(_ field: RuleField.CompanyField) -> RuleSubject {
        switch field {
        case .name: .typed("k.name")
        case .domain: .typed("k.domain")
        case .phone: .typed("k.phone")
        case .website: .typed("k.website")
        case .owner: .id("k.owner_id")
        case .createdAt: .moment("k.created_at")
        }
    }

    /// Keeps what is asked of each of few people from becoming a join, which PostgreSQL gets wrong by orders of magnitude where
    /// it cannot tell how many rows the other side has.
    var fence: SQL { reach == .few ? " OFFSET 0" : "" }

    /// A condition that nothing is known of, when everybody is looked at: PostgreSQL takes half of all rows for a
    /// `CASE`, but one in a hundred or thousand for conditions on json and folded texts. Expecting nobody to be left,
    /// it would not let each process count for itself, but have rows sent to one of them. For a part of everybody there is
    /// nothing to choose.
    func likely(_ condition: SQL) -> SQL {
        reach == .everybody && slice == nil ? "CASE WHEN \(condition) THEN true END" : condition
    }

    private func worksFor(_ condition: RuleCondition) -> SQL {
        let companies: SQL = companies(condition)
        return isInSets
            ? "c.company_id IS NOT NULL AND c.company_id IN (\(companies))"
            : "EXISTS (\(companies) AND k.id = c.company_id\(fence))"
    }

    /// `id` of every company for which a condition holds; companies are `k`.
    func companies(_ condition: RuleCondition) -> SQL {
        """
        SELECT k.id FROM marketing_companies k
        WHERE \(rows.of("k")) AND k.deleted_at IS NULL AND \(likely(isCompany(condition)))
        """
    }

    /// What a condition asks of a company `k`.
    func isCompany(_ condition: RuleCondition) -> SQL {
        let subject: RuleSubject
        switch condition.field {
        case .companyField(let field): subject = Self.subject(field)
        case .companyProperty(let property): subject = .json("k.properties", property.name)
        default: return "false"
        }
        return predicate(condition.field.kind, condition.comparison, condition.value, subject)
    }
}
