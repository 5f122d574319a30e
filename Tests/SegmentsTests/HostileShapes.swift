import Core
import TestSupport

@testable import Segments

/// Rules that are made as they should be, of values that nobody should send.
enum HostileShapes {
    private static let texts: [String] = [
        "'; DROP TABLE marketing_contacts; --", "\\", "%", "_", "$1", "\"", "\u{FFFD}", "𝔘𝔫𝔦", "İI", "ß", "1e999",
        "NULL",
        String(repeating: "x", count: 1_000), String(repeating: "é", count: 1_000), "{\"all\":[]}", "pro", "\u{202E}x",
    ]
    private static let days: [String] = ["0001-01-01", "9999-12-31", "2024-02-29", "1970-01-01", "2026-01-15"]
    private static let fields: [(path: String, kind: FieldKind)] =
        RuleField.fixed.filter { ![.list, .company, .user].contains($0.kind) }.map { ($0.path, $0.kind) } + [
            ("properties.plan", .text)
        ]

    static func rule(_ random: inout SeededGenerator) -> JSONValue {
        group(&random, depth: random.number(1...5), width: random.pick([1, 2, 3, 9]))
    }

    private static func group(_ random: inout SeededGenerator, depth: Int, width: Int) -> JSONValue {
        let nodes: [JSONValue] = (0..<width).map { index in
            // One branch alone goes on, so that no rule has more than 100 conditions.
            if depth > 1, index == 0 { return group(&random, depth: depth - 1, width: width) }
            return random.chance(60) ? condition(&random) : behaviour(&random)
        }
        return .object([random.pick(["all", "any", "none"]): .array(nodes)])
    }

    private static func condition(_ random: inout SeededGenerator) -> JSONValue {
        let field = random.pick(fields)
        let comparison: RuleOperator = random.pick(field.kind.operators)
        var members: [String: JSONValue] = [
            "field": .string(field.path), "operator": .string(comparison.rawValue),
        ]
        if comparison.takesValue { members["value"] = value(&random, field.kind, comparison) }
        return .object(members)
    }

    private static func value(
        _ random: inout SeededGenerator, _ kind: FieldKind, _ comparison: RuleOperator
    ) -> JSONValue {
        switch comparison {
        case .inLast, .inNext, .olderThan, .dayOfYearInLast, .dayOfYearInNext:
            return .int(random.pick([1, 366, 3_650]))
        case .between: return .array([.string("0001-01-01"), .string("9999-12-31")])
        default:
            guard comparison.takesList else { return single(&random, kind) }
            return .array((0..<random.pick([1, 5, 500])).map { _ in single(&random, kind) })
        }
    }

    private static func single(_ random: inout SeededGenerator, _ kind: FieldKind) -> JSONValue {
        switch kind {
        case .boolean: .bool(random.chance(50))
        case .date, .moment: .string(random.pick(days))
        case .choice: .string(random.pick(["active", "unsubscribed", "bounced", "complained", "unconfirmed"]))
        default: .string(random.pick(texts))
        }
    }

    private static func behaviour(_ random: inout SeededGenerator) -> JSONValue {
        let kind: String = random.pick(["sent", "opened", "clicked", "event"])
        let often: String = random.pick(["atLeast", "atMost", "never"])
        var members: [String: JSONValue] = ["behaviour": .string(kind), "operator": .string(often)]
        if often != "never" { members["times"] = .int(random.pick([1, 2, 1_000])) }
        if random.chance(50) {
            members["within"] =
                random.chance(50)
                ? .object(["days": .int(random.pick([1, 3_650]))])
                : .object(["from": .string("0001-01-01"), "to": .string("9999-12-31")])
        }
        if kind == "clicked", random.chance(50) { members["link"] = .string(random.pick(texts)) }
        if kind == "event" {
            members["name"] = .string(random.pick(["order placed", "$$", "' OR 1=1", "%"]))
            members["where"] = .array((0..<random.number(0...10)).map { _ in filter(&random) })
        }
        return .object(members)
    }

    private static func filter(_ random: inout SeededGenerator) -> JSONValue {
        let isText: Bool = random.chance(50)
        return .object([
            "property": .string(random.pick(["total", "a->>'b'", "x'y", "é"])),
            "operator": .string(
                random.pick(isText ? ["is", "contains", "startsWith"] : ["is", "moreThan", "atMost"])),
            "value": isText
                ? .string(random.pick(texts)) : random.pick([.double(1e308), .double(-1e-300), .int(.max), .int(.min)]),
        ])
    }
}
