import Core
import FoundationEssentials
import Web

/// Reads `filterRules`: what is unknown, of a wrong type or too much becomes an error that names its place.
package struct RuleParser {
    /// Groups in groups.
    package static let depthLimit = 5
    package static let conditionLimit = 100
    package static let textLimit = 1_000
    package static let listLimit = 500
    private static let errorLimit = 20

    let catalog: FieldCatalog
    private(set) var errors = ValidationErrors()
    private var conditions = 0

    private init(_ catalog: FieldCatalog) {
        self.catalog = catalog
    }

    /// - Throws: `ValidationErrors` whose fields are places like `filterRules.all[2].value`.
    package static func parse(
        _ json: JSONValue, _ catalog: FieldCatalog, at place: String = "filterRules"
    ) throws(ValidationErrors) -> RuleGroup {
        var parser = RuleParser(catalog)
        let group: RuleGroup? = parser.group(json, place, depth: 1)
        try parser.errors.throwIfAny()
        guard let group else { throw ValidationErrors(place, "This is no rule.") }
        return group
    }

    mutating func refuse(_ place: String, _ message: String) {
        if errors.entries.count < Self.errorLimit { errors.add(place, message) }
    }

    // MARK: Groups

    private mutating func group(_ json: JSONValue, _ place: String, depth: Int) -> RuleGroup? {
        guard case .object(let members) = json else {
            refuse(place, "A rule is an object with one of all, any or none, which is a list of conditions.")
            return nil
        }
        let matches: [RuleGroup.Match] = RuleGroup.Match.allCases.filter { members[$0.rawValue] != nil }
        guard members.count == 1, let match = matches.first, let list = members[match.rawValue] else {
            refuse(place, "A group has exactly one member: all, any or none.")
            return nil
        }
        guard case .array(let items) = list else {
            refuse("\(place).\(match.rawValue)", "This must be a list of conditions.")
            return nil
        }
        guard depth <= Self.depthLimit else {
            refuse(place, "Groups can be nested \(Self.depthLimit) deep at most.")
            return nil
        }
        guard !items.isEmpty else {
            refuse("\(place).\(match.rawValue)", "Add at least one condition.")
            return nil
        }
        var nodes: [RuleNode] = []
        for (index, item) in items.enumerated() {
            guard conditions < Self.conditionLimit else {
                refuse(place, "A rule can have \(Self.conditionLimit) conditions at most.")
                return nil
            }
            if let node = node(item, "\(place).\(match.rawValue)[\(index)]", depth: depth) { nodes.append(node) }
        }
        return RuleGroup(match, nodes)
    }

    private mutating func node(_ json: JSONValue, _ place: String, depth: Int) -> RuleNode? {
        guard case .object(let members) = json else {
            refuse(place, "A condition is an object with field, operator and value.")
            return nil
        }
        if RuleGroup.Match.allCases.contains(where: { members[$0.rawValue] != nil }) {
            return group(json, place, depth: depth + 1).map(RuleNode.group)
        }
        conditions += 1
        if members["behaviour"] != nil { return behaviour(members, place).map(RuleNode.behaviour) }
        return condition(members, place).map(RuleNode.condition)
    }

    // MARK: Conditions

    private mutating func condition(_ members: [String: JSONValue], _ place: String) -> RuleCondition? {
        refuseOthers(members, ["field", "operator", "value"], place)
        guard let path = word(members, "field", place) else { return nil }
        guard let field = catalog.field(path) else {
            refuse("\(place).field", "There is no field called “\(path.prefix(100))”.")
            return nil
        }
        guard let comparison = comparison(members, among: field.kind.operators, "“\(path)”", place) else { return nil }
        guard comparison.takesValue else {
            if let value = members["value"], value != .null {
                refuse("\(place).value", "“\(comparison.rawValue)” takes no value.")
            }
            return RuleCondition(field, comparison)
        }
        let reader = RuleValueReader(kind: field.kind, options: catalog.options(field))
        do {
            return RuleCondition(field, comparison, try reader.value(members["value"] ?? .null, for: comparison))
        } catch {
            refuse("\(place).value", error.message)
            return nil
        }
    }

    mutating func comparison(
        _ members: [String: JSONValue], among operators: [RuleOperator], _ subject: String, _ place: String
    ) -> RuleOperator? {
        guard let word = word(members, "operator", place) else { return nil }
        guard let comparison = RuleOperator(rawValue: word), operators.contains(comparison) else {
            let known: String = operators.map(\.rawValue).joined(separator: ", ")
            refuse("\(place).operator", "\(subject) can be compared by: \(known).")
            return nil
        }
        return comparison
    }

    mutating func refuseOthers(_ members: [String: JSONValue], _ known: Set<String>, _ place: String) {
        for name in members.keys.sorted() where !known.contains(name) {
            refuse("\(place).\(name.prefix(60))", "There is no member called “\(name.prefix(60))” here.")
        }
    }

    mutating func word(_ members: [String: JSONValue], _ name: String, _ place: String) -> String? {
        guard let value = members[name] else {
            refuse("\(place).\(name)", "This is required.")
            return nil
        }
        guard let text = value.stringValue, !text.isEmpty, text.utf8.count <= Self.textLimit, text.isPlain else {
            refuse("\(place).\(name)", "This must be a word.")
            return nil
        }
        return text
    }
}

extension String {
    /// Without characters that PostgreSQL's text cannot hold or that no name has.
    var isPlain: Bool {
        !unicodeScalars.contains { $0.properties.generalCategory == .control }
    }
}
