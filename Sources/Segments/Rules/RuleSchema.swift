import Core
import Web

/// `filterRules` as the API documentation describes it.
enum RuleSchema {
    static let operators: [String] = RuleOperator.allCases.map(\.rawValue)

    private static let condition: APISchema = .object(
        [
            ("field", .string(maxLength: RuleParser.textLimit)), ("operator", .string(oneOf: operators)),
            ("value", .any),
        ], required: ["field", "operator"])

    private static let behaviour: APISchema = .object(
        [
            ("behaviour", .string(oneOf: ["sent", "opened", "clicked", "event"])), ("name", .string(maxLength: 200)),
            (
                "where",
                .array(
                    of: .object(
                        [
                            ("property", .string),
                            ("operator", .string(oneOf: RuleEventFilter.operators.map(\.rawValue))), ("value", .any),
                        ], required: ["property", "operator"]), maxItems: 10)
            ),
            ("operator", .string(oneOf: ["atLeast", "atMost", "never"])),
            ("times", .integer(minimum: 0, maximum: 10_000)),
            (
                "within",
                .object([
                    ("days", .integer(minimum: 1, maximum: 3650)), ("from", .string(format: "date")),
                    ("to", .string(format: "date")),
                ])
            ),
            ("campaign", .id), ("link", .string(maxLength: 2000)), ("by", .string(oneOf: ["people", "anyone"])),
        ], required: ["behaviour"])

    /// A group has exactly one of the three members.
    static let rule: APISchema = .object(
        RuleGroup.Match.allCases.map { match in
            (match.rawValue, .array(of: .ref("FilterRuleNode"), maxItems: RuleParser.conditionLimit))
        })

    static func add(to routes: inout RouteTable) {
        routes.schema("FilterRules", rule)
        routes.schema("FilterCondition", condition)
        routes.schema("FilterBehaviour", behaviour)
        routes.schema(
            "FilterRuleNode", .oneOf([.ref("FilterRules"), .ref("FilterCondition"), .ref("FilterBehaviour")]))
        routes.schema(
            "SegmentPreview",
            .object(
                [
                    ("count", .integer(minimum: 0)), ("description", .string),
                    ("sample", .array(of: .ref("SegmentSample"), maxItems: 10)),
                ], required: ["count", "description", "sample"]))
        routes.schema(
            "SegmentSample",
            .object(
                [
                    ("id", .id), ("email", .nullable(.string)), ("firstName", .nullable(.string)),
                    ("lastName", .nullable(.string)),
                ], required: ["id", "email", "firstName", "lastName"]))
        routes.schema(
            "Explanation",
            .object(
                [
                    ("matches", .boolean), ("description", .string), ("seen", .nullable(.string)),
                    ("path", .string), ("conditions", .array(of: .ref("Explanation"))),
                ], required: ["matches", "description", "path", "conditions"]))
    }
}
