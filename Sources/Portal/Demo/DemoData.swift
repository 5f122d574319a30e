import Core

/// The people and companies of the example: a coffee roaster's customers. Always the same, and with addresses that
/// reach nobody (RFC 2606).
enum DemoData {
    static let workspaceName = "Demo: Northwind Coffee"
    static let postalAddress = "12 Harbour Street, Oldtown"
    /// The kind of record that the people and companies come from, as if a shop had told of them.
    static let source = "demo"
    static let peopleCount = 180
    /// So many people came together, and so many days later the next; the last of them before the campaign went out.
    static let cohort = 20
    static let daysBetweenCohorts = 3
    static let daysSinceLastCohort = 5

    private static let firstNames = [
        "Ana", "Ben", "Chloé", "Daniel", "Eva", "Felipe", "Grace", "Hugo", "Ines", "Jonas", "Keiko", "Luca", "Mara",
        "Noah", "Olga", "Pedro", "Quentin", "Rosa", "Sami", "Tara", "Umar", "Vera", "Wim", "Ximena", "Yusuf", "Zoe",
    ]
    private static let lastNames = [
        "Almeida", "Berg", "Costa", "Dubois", "Eriksen", "Fischer", "Green", "Haddad", "Ito", "Jansen", "Kowalska",
        "Lopez", "Moreau", "Nowak", "Okafor", "Petrov", "Quinn", "Rossi", "Schmidt", "Tanaka", "Usman", "Vidal",
        "Weber", "Young", "Zhang",
    ]
    private static let cities = ["Lisbon", "Berlin", "Oslo", "Porto", "Dublin", "Vienna"]
    private static let plans = ["Single bag", "Monthly", "Office"]

    static let companies: [(name: String, domain: String)] = [
        ("Harbour Bakery", "harbour-bakery.example"), ("Kleiner Laden", "kleiner-laden.example"),
        ("Studio Fjord", "studio-fjord.example"), ("Blue Door Books", "blue-door.example"),
        ("Café Miramar", "miramar.example"), ("Lantern Hotel", "lantern.example"),
    ]

    static func name(_ number: Int) -> (first: String, last: String) {
        (firstNames[number % firstNames.count], lastNames[(number * 7 + number / firstNames.count) % lastNames.count])
    }

    /// One in six works at a company and orders for it.
    static func isWholesale(_ number: Int) -> Bool { number % 6 == 0 }

    /// A person as the shop tells of them.
    static func person(_ number: Int) -> JSONValue {
        let (first, last) = name(number)
        let company: Int = (number / 6) % companies.count
        let domain: String = isWholesale(number) ? companies[company].domain : "example.com"
        let local: String = "\(ascii(first)).\(ascii(last))\(number)"
        var person: [String: JSONValue] = [
            "sourceId": .string("customer-\(number)"), "email": .string("\(local)@\(domain)"),
            "firstName": .string(first), "lastName": .string(last),
            "tags": .array(number % 9 == 0 ? [.string("vip")] : []),
            "properties": .object([
                "city": .string(cities[number % cities.count]), "plan": .string(plans[number % plans.count]),
                "bags_a_month": .int(1 + number % 5),
                "birthday": .string("19\(60 + number % 40)-\(two(1 + number % 12))-\(two(1 + number % 28))"),
            ]),
        ]
        if isWholesale(number) {
            person["companySourceType"] = .string(source)
            person["companySourceId"] = .string("company-\(company)")
        }
        return .object(person)
    }

    static func company(_ number: Int) -> JSONValue {
        .object([
            "sourceId": .string("company-\(number)"), "name": .string(companies[number].name),
            "domain": .string(companies[number].domain),
        ])
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func ascii(_ name: String) -> String {
        name.lowercased().replacing("é", with: "e").replacing("í", with: "i")
    }

    static let segments: [(name: String, description: String, rules: JSONValue)] = [
        (
            "Opened, never clicked", "People who read us and need a better reason to visit.",
            .object([
                "all": .array([
                    .object(["behaviour": .string("opened"), "within": .object(["days": .int(30)])]),
                    .object(["behaviour": .string("clicked"), "operator": .string("never")]),
                ])
            ])
        ),
        (
            "Lisbon and Porto", "For the tasting in spring.",
            .object([
                "any": .array(
                    ["Lisbon", "Porto"].map {
                        .object([
                            "field": .string("properties.city"), "operator": .string("is"), "value": .string($0),
                        ])
                    })
            ])
        ),
    ]

    static let subject = "{{ contact.firstName | default: \"Hello\" }}, the autumn roast is here"
    static let letter = """
        <h1>The autumn roast is here</h1>
        <p>Hi {{ contact.firstName | default: "there" }}, this week we roast the first beans of the new harvest: plum, \
        hazelnut, a little smoke.</p>
        <p><a href="https://shop.example/autumn">Taste the autumn roast</a></p>
        <p>Rather by the kilo? <a href="https://shop.example/wholesale">Order for your office</a>, or read \
        <a href="https://shop.example/brewing">how we brew it</a>.</p>
        """
}
