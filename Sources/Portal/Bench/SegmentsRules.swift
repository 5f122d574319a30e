/// The rules that are asked, and those of the segments that are kept.
enum SegmentsRules {
    static let fiveConditions = """
        {"all":[{"field":"properties.plan","operator":"isNot","value":"free"},
        {"field":"properties.birthday","operator":"monthIs","value":"this"},
        {"field":"properties.score","operator":"between","value":[100,300]},
        {"field":"emailStatus","operator":"is","value":"active"},
        {"behaviour":"opened","within":{"days":30}}]}
        """

    static let questions: [(String, String)] =
        [
            (
                "threeIndexed",
                """
                {"all":[{"field":"properties.city","operator":"is","value":"City 7"},
                {"field":"properties.score","operator":"atLeast","value":900},
                {"field":"emailStatus","operator":"is","value":"active"}]}
                """
            ),
            (
                "threeIndexedBroad",
                """
                {"all":[{"field":"properties.plan","operator":"is","value":"pro"},
                {"field":"properties.score","operator":"between","value":[100,120]},
                {"field":"emailStatus","operator":"is","value":"unsubscribed"}]}
                """
            ),
            ("fiveWithOpened", fiveConditions),
            (
                "fiveOpenedNeverClicked",
                """
                {"all":[{"behaviour":"opened","within":{"days":30}},{"behaviour":"clicked","operator":"never"},
                {"field":"company.name","operator":"in","value":["Company 11","Company 12","Company 13","Company 14"]},
                {"field":"properties.plan","operator":"isNot","value":"free"},
                {"field":"properties.birthday","operator":"monthIs","value":"this"}]}
                """
            ),
            (
                "fiveBroadWithOpened",
                """
                {"all":[{"behaviour":"opened"},{"field":"properties.plan","operator":"isNot","value":"free"},
                {"field":"properties.newsletter","operator":"is","value":true},
                {"field":"properties.languages","operator":"contains","value":"de"},
                {"field":"emailStatus","operator":"is","value":"active"}]}
                """
            ),
            (
                "fiveAtLeastThrice",
                """
                {"all":[{"behaviour":"event","name":"order placed","operator":"atLeast","times":3,"within":{"days":180}},
                {"field":"properties.score","operator":"atLeast","value":500},
                {"field":"properties.languages","operator":"contains","value":"pt"},
                {"field":"properties.age","operator":"lessThan","value":40},
                {"field":"emailStatus","operator":"is","value":"active"}]}
                """
            ),
            (
                "fiveWithEvent",
                """
                {"all":[{"field":"company.name","operator":"startsWith","value":"company 1"},
                {"field":"properties.age","operator":"moreThan","value":40},
                {"field":"properties.newsletter","operator":"is","value":true},
                {"field":"tags","operator":"notContains","value":"vip"},
                {"behaviour":"event","name":"order placed","operator":"atLeast","times":1,"within":{"days":90},
                "where":[{"property":"total","operator":"moreThan","value":100}]}]}
                """
            ),
            (
                "fiveWithNever",
                """
                {"all":[{"field":"properties.city","operator":"in","value":["City 1","City 2","City 3"]},
                {"field":"properties.languages","operator":"contains","value":"de"},
                {"field":"properties.orders","operator":"atLeast","value":5},
                {"field":"createdAt","operator":"inLast","value":3650},
                {"behaviour":"clicked","operator":"never","within":{"days":60}}]}
                """
            ),
            (
                "anyOfFive",
                """
                {"any":[{"field":"properties.note","operator":"contains","value":"fair 7"},
                {"field":"properties.age","operator":"is","value":33},
                {"field":"lastName","operator":"startsWith","value":"sch"},
                {"field":"tags","operator":"contains","value":"vip"},
                {"behaviour":"event","name":"invoice paid","operator":"atLeast","times":3,"within":{"days":180}}]}
                """
            ),
        ] + broadest

    /// Deeds of all time, which nearly everybody did, beside conditions that name nobody in particular.
    private static let broadest: [(String, String)] = {
        let sent = #"{"behaviour":"sent"}"#
        let sentLately = #"{"behaviour":"sent","within":{"days":90}}"#
        let openedByAnyone = #"{"behaviour":"opened","by":"anyone"}"#
        let openedThrice = #"{"behaviour":"opened","operator":"atLeast","times":3}"#
        let openedLately = #"{"behaviour":"opened","within":{"days":90}}"#
        let ordered = #"{"behaviour":"event","name":"order placed"}"#
        let orderedMuch =
            #"{"behaviour":"event","name":"order placed","where":[{"property":"total","operator":"moreThan","value":100}]}"#
        func all(_ deed: String) -> String {
            """
            {"all":[\(deed),{"field":"properties.plan","operator":"isNot","value":"free"},
            {"field":"properties.newsletter","operator":"is","value":true},
            {"field":"properties.languages","operator":"contains","value":"de"},
            {"field":"emailStatus","operator":"is","value":"active"}]}
            """
        }
        func any(_ deed: String) -> String {
            """
            {"any":[\(deed),{"field":"properties.note","operator":"contains","value":"fair 7"},
            {"field":"properties.age","operator":"is","value":33},
            {"field":"lastName","operator":"startsWith","value":"sch"},
            {"field":"tags","operator":"contains","value":"vip"}]}
            """
        }
        return [
            ("everSent", all(sent)), ("sentLately", all(sentLately)), ("everOpenedByAnyone", all(openedByAnyone)),
            ("everOpenedThrice", all(openedThrice)), ("everWithEvent", all(ordered)),
            ("everWithEventAndProperty", all(orderedMuch)), ("anyOfFiveOpenedLately", any(openedLately)),
            ("anyOfFiveWithEventEver", any(ordered)),
        ]
    }()

    /// A rule for one of many segments, of the kinds that marketers make.
    static func segment(_ number: Int) -> String {
        switch number % 5 {
        case 0:
            """
            {"all":[{"field":"properties.city","operator":"is","value":"City \(number)"},
            {"field":"emailStatus","operator":"is","value":"active"}]}
            """
        case 1:
            """
            {"all":[{"field":"properties.score","operator":"between","value":[\(number * 10),\(number * 10 + 40)]},
            {"field":"properties.plan","operator":"isNot","value":"free"}]}
            """
        case 2:
            """
            {"all":[{"field":"properties.age","operator":"is","value":\(18 + number)},
            {"behaviour":"opened","within":{"days":30}}]}
            """
        case 3:
            """
            {"all":[{"behaviour":"event","name":"order placed","operator":"atLeast","times":2,"within":{"days":90}},
            {"field":"properties.languages","operator":"contains","value":"pt"}]}
            """
        default:
            """
            {"any":[{"field":"properties.score","operator":"is","value":\(number)},
            {"field":"company.domain","operator":"is","value":"company-\(number).example"}]}
            """
        }
    }

    static let probe = #"{"all":[{"field":"properties.code","operator":"is","value":"probe"}]}"#
}
