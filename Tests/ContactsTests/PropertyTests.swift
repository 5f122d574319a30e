import Core
import Postgres
import TestSupport
import Testing
import Web

@testable import Accounts
@testable import Contacts

@Suite("Properties")
struct PropertyTests {
    private func id(_ answer: TestResponse) throws -> String {
        try #require(try answer.json()["id"]?.stringValue, "\(answer.text)")
    }

    private func job(_ portal: PortalFixture, _ member: TestMember) -> PropertyIndexing {
        PropertyIndexing(services: portal.services, scope: WorkspaceScope(member.principal))
    }

    /// The fast values of a property as texts, sorted.
    private func fastValues(_ portal: PortalFixture, _ member: TestMember, _ id: String) async throws -> [String] {
        let workspace: WorkspaceID = member.principal.workspace
        let property: PropertyID? = PropertyID(id)
        return try await portal.services.database.read(workspace) { transaction in
            try await transaction.values(
                String.self, "test.values",
                """
                SELECT coalesce(text_value, number_value::text) AS v FROM marketing_contact_property_values
                WHERE workspace_id = \(workspace) AND property_id = \(property) ORDER BY v
                """)
        }
    }

    @Test("An unknown name is declared on the way with the type that its value tells")
    func declared() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            _ = try await ana.api(
                .post, "/v1/contacts",
                #"{"email":"a@example.com","properties":{"n":3,"vip":true,"site":"https://a.example","born":"1990-02-28","likes":["red","white"],"plan":"pro"}}"#
            )
            let listed = try await ana.api(.get, "/v1/property-definitions?object=contact").json()
            guard case .array(let rows)? = listed["data"] else { throw TestFailure("no data") }
            let types: [String: String] = rows.reduce(into: [:]) { types, row in
                types[row["name"]?.stringValue ?? ""] = row["type"]?.stringValue
            }
            #expect(
                types == [
                    "n": "number", "vip": "boolean", "site": "url", "born": "date", "likes": "multiSelect",
                    "plan": "text",
                ])
            let wrong = try await ana.api(
                .post, "/v1/contacts", #"{"email":"b@example.com","properties":{"n":"many"}}"#)
            #expect(wrong.status == .unprocessableContent)
            #expect(wrong.text.contains("/properties/n"))
        }
    }

    @Test("Values are brought into the form of their type, defaults come to new people, required ones are asked for")
    func normalised() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            for body in [
                #"{"name":"plan","label":"Plan","type":"singleSelect","options":["Free","Pro"],"default":"free"}"#,
                #"{"name":"paid","label":"Paid","type":"money","required":true}"#,
            ] {
                let made = try await ana.api(.post, "/v1/property-definitions", body)
                #expect(made.status == .created, "\(made.text)")
            }
            let blank = try await ana.api(.post, "/v1/contacts", #"{"email":"a@example.com"}"#)
            #expect(blank.status == .unprocessableContent)
            #expect(blank.text.contains("/properties/paid"))
            let made = try await ana.api(
                .post, "/v1/contacts", #"{"email":"a@example.com","properties":{"paid":"12.5 eur"}}"#)
            let properties = try made.json()["properties"]
            #expect(properties?["plan"] == .string("Free"))
            #expect(properties?["paid"]?["amount"] == .int(1250))
            let cleared = try await ana.api(
                .patch, "/v1/contacts/\(try id(made))", #"{"properties":{"paid":null}}"#)
            #expect(cleared.status == .unprocessableContent)
            let other = try await ana.api(.patch, "/v1/contacts/\(try id(made))", #"{"firstName":"Ana"}"#)
            #expect(other.status == .ok)
        }
    }

    @Test("A type changes when all values fit, and else says how many do not")
    func changeOfType() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            for (index, value) in ["1", "2.5", "many"].enumerated() {
                _ = try await ana.api(
                    .post, "/v1/contacts",
                    #"{"email":"p\#(index)@example.com","properties":{"orders":"\#(value)"}}"#)
            }
            let listed = try await ana.api(.get, "/v1/property-definitions").json()
            guard case .array(let rows)? = listed["data"], let property = rows.first?["id"]?.stringValue else {
                throw TestFailure("no property")
            }
            let body = #"{"label":"Orders","type":"number"}"#
            let refused = try await ana.api(.put, "/v1/property-definitions/\(property)", body)
            #expect(refused.status == .conflict)
            #expect(refused.text.contains("values_do_not_fit") && refused.text.contains("many"))
            #expect(try await ana.api(.get, "/v1/contacts?q=p0").text.contains(#""orders":"1""#))
            let browser = try await ana.signIn()
            let page = try await browser.get("/settings/properties/\(property)/change")
            #expect(page.text.contains("1 value does not fit") && page.text.contains("p2@example.com"))
            let done = try await ana.api(.put, "/v1/property-definitions/\(property)?clear=true", body)
            #expect(done.status == .ok, "\(done.text)")
            #expect(try done.json()["type"] == .string("number"))
            #expect(try await ana.api(.get, "/v1/contacts?q=p1").text.contains(#""orders":2.5"#))
            #expect(try await ana.api(.get, "/v1/contacts?q=p2").text.contains(#""properties":{}"#))
        }
    }

    @Test("With many people a type changes in the background: looked through first, decided about, then all batches")
    func changeInBackground() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let workspace = ana.scope.workspace
            let property = try id(
                try await ana.api(
                    .post, "/v1/property-definitions", #"{"label":"Orders","name":"orders","type":"text"}"#))
            let count: Int = PropertyConversion.inlineLimit + 10
            _ = try await portal.services.database.write(workspace, timeout: .seconds(120)) { transaction in
                try await transaction.run([
                    Statement(
                        "test.people",
                        """
                        INSERT INTO marketing_contacts (workspace_id, id, email, email_key, properties, created_at, updated_at)
                        SELECT \(workspace), gen_random_uuid(), 'p' || n || '@example.com', 'p' || n || '@example.com',
                            jsonb_build_object('orders', CASE n WHEN 7 THEN 'many' ELSE n::text END), now(), now()
                        FROM generate_series(1, \(count)::int) AS n
                        """),
                    ContactTotals.adding(count, ana.scope),
                ])
            }
            func definition() async throws -> JSONValue {
                let all = try await ana.api(.get, "/v1/property-definitions").json()
                guard case .array(let rows)? = all["data"],
                    let one = rows.first(where: { $0["id"] == .string(property) })
                else { throw TestFailure("no property") }
                return one
            }
            func runJob() async throws {
                let waiting: [JSONValue] = try await portal.services.database.session { session in
                    try await session.values(
                        JSONValue.self, "test.jobs",
                        "DELETE FROM marketing_job_queue WHERE kind = \(PropertyCheckJob.kind) RETURNING payload")
                }
                #expect(waiting.count == 1)
                try await job(portal, ana).run(PropertyCheckJob(propertyID: try #require(PropertyID(property))))
            }
            let body = #"{"label":"Orders","type":"number"}"#
            let asked = try await ana.api(.put, "/v1/property-definitions/\(property)", body)
            #expect(asked.status == .accepted, "\(asked.text)")
            #expect(try asked.json()["type"] == .string("text"))
            try await runJob()
            let browser = try await ana.signIn()
            let page = try await browser.get("/settings/properties/\(property)/change").text
            #expect(page.contains("1 value does not fit") && page.contains("p7@example.com"))
            let decided = try await browser.post("/settings/properties/\(property)/change", [("decision", "clear")])
            #expect(decided.status == .seeOther)
            #expect(try await definition()["type"] == .string("text"))
            try await runJob()
            #expect(try await definition()["type"] == .string("number"))
            let kinds: [String] = try await portal.services.database.read(workspace) { transaction in
                try await transaction.values(
                    String.self, "test.kinds",
                    """
                    SELECT coalesce(jsonb_typeof(properties -> 'orders'), 'none') || ' ' || count(*)
                    FROM marketing_contacts WHERE workspace_id = \(workspace) GROUP BY properties ? 'orders', 
                        jsonb_typeof(properties -> 'orders') ORDER BY 1
                    """)
            }
            #expect(kinds == ["none 1", "number \(count - 1)"])
        }
    }

    @Test("An option is renamed without touching data, and one in use is not taken away unasked")
    func options() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let property = try id(
                try await ana.api(
                    .post, "/v1/property-definitions",
                    #"{"label":"Tier","type":"singleSelect","options":["Gold","Silver"]}"#))
            let contact = try id(
                try await ana.api(.post, "/v1/contacts", #"{"email":"a@example.com","properties":{"tier":"Gold"}}"#))
            let renamed = try await ana.api(
                .put, "/v1/property-definitions/\(property)",
                #"{"label":"Tier","type":"singleSelect","options":[{"value":"Gold","label":"Golden"},{"value":"Silver","label":"Silver"}]}"#
            )
            #expect(renamed.status == .ok, "\(renamed.text)")
            #expect(try await ana.api(.get, "/v1/contacts/\(contact)").json()["properties"]?["tier"] == .string("Gold"))
            let without = #"{"label":"Tier","type":"singleSelect","options":["Silver"]}"#
            #expect(try await ana.api(.put, "/v1/property-definitions/\(property)", without).status == .conflict)
            #expect(
                try await ana.api(.put, "/v1/property-definitions/\(property)?clear=true", without).status == .ok)
            #expect(try await ana.api(.get, "/v1/contacts/\(contact)").json()["properties"] == .object([:]))
        }
    }

    @Test("Concurrent edits of a property do not lose one another")
    func concurrent() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let made = try await ana.api(.post, "/v1/property-definitions", #"{"label":"Plan"}"#)
            let tag = try #require(made.headers[.eTag])
            let path = "/v1/property-definitions/\(try id(made))"
            #expect(try await ana.api(.put, path, #"{"label":"A"}"#, headers: [.ifMatch: tag]).status == .ok)
            #expect(
                try await ana.api(.put, path, #"{"label":"B"}"#, headers: [.ifMatch: tag]).status
                    == .preconditionFailed)
        }
    }

    @Test("The fast values follow every change of people, and go when the property is an ordinary one again")
    func fast() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let contact = try id(
                try await ana.api(.post, "/v1/contacts", #"{"email":"a@example.com","properties":{"city":"Oslo"}}"#))
            _ = try await ana.api(.post, "/v1/contacts", #"{"email":"b@example.com","properties":{"city":"Bergen"}}"#)
            let listed = try await ana.api(.get, "/v1/property-definitions").json()
            guard case .array(let rows)? = listed["data"], let property = rows.first?["id"]?.stringValue,
                let propertyID = PropertyID(property)
            else { throw TestFailure("no property") }
            let scope = WorkspaceScope(ana.principal)
            let actions = PropertyActions(services: portal.services)
            #expect(try await actions.setSpeed(propertyID, isFast: true, scope))
            #expect(try await fastValues(portal, ana, property).isEmpty)
            // From here on changes are kept, also before the copying is done.
            _ = try await ana.api(.post, "/v1/contacts", #"{"email":"c@example.com","properties":{"city":"Rome"}}"#)
            #expect(try await fastValues(portal, ana, property) == ["rome"])
            try await job(portal, ana).run(PropertyIndexJob(propertyID: propertyID, horizon: 0))
            #expect(try await fastValues(portal, ana, property) == ["bergen", "oslo", "rome"])
            #expect(try await ana.api(.get, "/v1/property-definitions").text.contains(#""fast":"yes""#))
            _ = try await ana.api(.patch, "/v1/contacts/\(contact)", #"{"properties":{"city":"Turin"}}"#)
            #expect(try await fastValues(portal, ana, property) == ["bergen", "rome", "turin"])
            let browser = try await ana.signIn()
            let found = try await browser.get("/contacts?property=city&value=Turin").text
            #expect(found.contains("a@example.com") && !found.contains("b@example.com"))
            _ = try await ana.api(.delete, "/v1/contacts/\(contact)")
            #expect(try await fastValues(portal, ana, property) == ["bergen", "rome"])
            #expect(try await actions.setSpeed(propertyID, isFast: false, scope))
            try await job(portal, ana).run(PropertyIndexJob(propertyID: propertyID, horizon: nil))
            #expect(try await fastValues(portal, ana, property).isEmpty)
        }
    }

    @Test("Fast values of every type stand for what conditions compare")
    func fastTypes() async throws {
        try await TestDatabaseValues.expect([
            ("text", #""Ölo""#, "ölo"), ("number", "2.5", "2.5"), ("boolean", "true", "1"),
            ("money", #"{"amount":1250,"currency":"EUR"}"#, "1250"), ("date", #""1970-01-02""#, "86400"),
            ("dateTime", #""1970-01-01T00:01:01Z""#, "61"), ("multiSelect", #"["B","a"]"#, "a,b"),
            ("date", #""2026-02-31""#, "1772496000"), ("number", #""many""#, ""), ("date", #""soon""#, ""),
        ])
    }

    @Test("A deleted property takes its values along, and what needs it keeps it")
    func deletion() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let contact = try id(
                try await ana.api(
                    .post, "/v1/contacts", #"{"email":"a@example.com","properties":{"city":"Oslo","n":1}}"#))
            let scope = WorkspaceScope(ana.principal)
            let all = try await portal.services.database.read(scope.workspace) { transaction in
                try await PropertyQueries(scope: scope).all(.contact, in: transaction)
            }
            let city = try #require(all.first { $0.name == "city" })
            let needed = PropertyActions(services: portal.services) { _, _, _ in
                [ListUse(name: "Segment", href: "/lists/1", status: "Segment", tone: "info", isBinding: true)]
            }
            guard case .inUse = try await needed.delete(city.id, scope) else { throw TestFailure("it was deleted") }
            #expect(try await ana.api(.delete, "/v1/property-definitions/\(city.id)").status == .noContent)
            try await job(portal, ana).run(
                PropertyRemovalJob(propertyID: city.id, object: "contact", name: "city"))
            #expect(
                try await ana.api(.get, "/v1/contacts/\(contact)").json()["properties"] == .object(["n": .int(1)]))
        }
    }

    @Test("People are found by a property's value, whatever its type")
    func filters() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            _ = try await ana.api(
                .post, "/v1/contacts",
                #"{"email":"a@example.com","properties":{"city":"Oslo","n":3,"vip":true,"likes":["red"],"paid":{"amount":1250,"currency":"EUR"}}}"#
            )
            _ = try await ana.api(.post, "/v1/contacts", #"{"email":"b@example.com","properties":{"city":"Rome"}}"#)
            func found(_ query: String) async throws -> [String] {
                let answer = try await ana.api(.get, "/v1/contacts?\(query)").json()
                guard case .array(let rows)? = answer["data"] else { return [] }
                return rows.compactMap { $0["email"]?.stringValue }
            }
            for query in [
                "city&value=oslo", "n&value=3", "vip&value=yes", "likes&value=Red", "paid&value=12.50%20EUR", "n",
            ] {
                #expect(try await found("property=\(query)") == ["a@example.com"], "\(query)")
            }
            #expect(try await found("property=city").count == 2)
            #expect(try await found("property=city&value=Paris").isEmpty)
            #expect(try await ana.api(.get, "/v1/contacts?property=%00").status == .ok)
            let browser = try await ana.signIn()
            let csv = try await browser.get("/contacts/export?property=city&value=Oslo").text
            #expect(csv.contains("12.50 EUR") && csv.contains("a@example.com") && !csv.contains("b@example.com"))
        }
    }

    @Test("The settings pages make, order and change properties without a script")
    func pages() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let browser = try await ana.signIn()
            for label in ["City", "Street"] {
                let answer = try await browser.post(
                    "/settings/properties", [("object", "contact"), ("label", label), ("type", "text")])
                #expect(answer.status == .seeOther, "\(answer.text)")
            }
            let wrong = try await browser.post(
                "/settings/properties", [("object", "contact"), ("label", "Kind"), ("type", "singleSelect")])
            #expect(wrong.status == .unprocessableContent)
            let listed = try await ana.api(.get, "/v1/property-definitions").json()
            guard case .array(let rows)? = listed["data"], let street = rows.last?["id"]?.stringValue else {
                throw TestFailure("no properties")
            }
            _ = try await browser.post("/settings/properties/\(street)/move", [("direction", "up")])
            let page = try await browser.get("/settings/properties").text
            let city = try #require(page.range(of: "City")?.lowerBound)
            let first = try #require(page.range(of: "Street")?.lowerBound)
            #expect(first < city)
            let form = try await browser.get("/contacts/new").text
            #expect(form.contains("property:street"))
        }
    }
}

/// What the database makes of values for the table of fast ones.
enum TestDatabaseValues {
    static func expect(_ cases: [(type: String, json: String, values: String)]) async throws {
        try await PortalFixture.with { portal in
            for (type, json, values) in cases {
                let found: String? = try await portal.services.database.session { session in
                    try await session.value(
                        String?.self, "test.index",
                        """
                        SELECT string_agg(coalesce(text_value, number_value::text), ',' ORDER BY text_value)
                        FROM marketing_property_index(\(type), \(json)::text::jsonb)
                        WHERE text_value IS NOT NULL OR number_value IS NOT NULL
                        """)
                }
                #expect(found ?? "" == values, "\(type) \(json)")
            }
        }
    }
}
