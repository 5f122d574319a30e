import Contacts
import Core
import Postgres

/// A column of `marketing_contact_facts` that holds a property of a workspace, or the name under which `marketing_long_facts`
/// does.
struct FactColumn: Sendable, Hashable {
    /// How values are kept.
    enum Kind: String, Sendable, PostgresCodable {
        case text, date, number, money, flag, choices
        /// Apart from the rows, which it would make as wide as the people's own.
        case long

        init(_ type: PropertyType) {
            switch type {
            case .text, .singleSelect, .url: self = .text
            case .date, .dateTime: self = .date
            case .number: self = .number
            case .boolean: self = .flag
            case .money: self = .money
            case .multiSelect: self = .choices
            case .longText: self = .long
            }
        }

        /// All columns for such values, in the order in which they are given away: rows are read up to the last one that is
        /// asked for.
        var columns: [String] {
            let (name, count): (String, Int) =
                switch self {
                case .text, .date, .choices: ("text", 16)
                case .number, .money: ("number", 16)
                case .flag: ("flag", 8)
                case .long: ("long", 8)
                }
            return (1...count).map { "\(name)\($0)" }
        }

        /// The value of a person `c`.
        func value(of property: String) -> SQL {
            switch self {
            case .text, .long: "marketing_text_fact(c.properties, \(property))"
            case .date: "marketing_date_fact(c.properties, \(property))"
            case .number: "marketing_number_fact(c.properties, \(property))"
            case .money: "marketing_money_fact(c.properties, \(property))"
            case .flag: "marketing_flag_fact(c.properties, \(property))"
            case .choices: "marketing_choices_fact(c.properties, \(property))"
            }
        }
    }

    /// In every workspace.
    static let tags = FactColumn(name: "tags", kind: .choices)

    /// Stands for what is of another type than the property.
    static let odd = "\u{1}"

    let name: String
    let kind: Kind

    /// Of a person `c`.
    var sql: SQL { "c.\(identifier: name)" }
}

/// Which property a column holds, as it is stored.
struct FactAssignment: Sendable, Equatable {
    let column: FactColumn
    /// Nil: the property is gone, and the column is to be emptied.
    var property: PropertyID?
    /// The key in `properties`.
    let key: String
    /// Whether it is there for everybody.
    var isFilled: Bool

    /// The assignments that properties ask for, given those that there are: properties keep their columns, new ones get what is
    /// free, in their order, as far as there is room. A property whose kind of values has changed is a new one.
    static func settled(_ old: [FactAssignment], for properties: [RuleProperty]) -> [FactAssignment] {
        let wanted: [PropertyID: FactColumn.Kind] = Dictionary(
            properties.map { ($0.id, FactColumn.Kind($0.type)) }
        ) { first, _ in first }
        var settled: [FactAssignment] = old.map { assignment in
            guard let property = assignment.property, wanted[property] != assignment.column.kind else {
                return assignment
            }
            return FactAssignment(column: assignment.column, property: nil, key: assignment.key, isFilled: false)
        }
        var taken: Set<String> = Set(old.map(\.column.name))
        let known: Set<PropertyID> = Set(settled.compactMap(\.property))
        for property in properties where !known.contains(property.id) {
            let kind = FactColumn.Kind(property.type)
            guard let free = kind.columns.first(where: { !taken.contains($0) }) else { continue }
            taken.insert(free)
            settled.append(
                FactAssignment(
                    column: FactColumn(name: free, kind: kind), property: property.id, key: property.name,
                    isFilled: false))
        }
        return settled
    }
}

extension FactAssignment: PostgresRow {
    static let columns: SQL = "name, kind, property_id, property, is_filled"

    init(row: inout RowReader) throws {
        column = FactColumn(name: try row.next(), kind: try row.next())
        property = try row.next()
        key = try row.next()
        isFilled = try row.next()
    }

    static func all(_ workspace: WorkspaceID) -> Query<FactAssignment> {
        Query(
            FactAssignment.self, "segments.facts.columns",
            "SELECT \(columns) FROM marketing_fact_columns WHERE workspace_id = \(workspace) ORDER BY name")
    }
}
