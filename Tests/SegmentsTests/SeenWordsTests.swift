import Contacts
import Core
import FoundationEssentials
import TestSupport
import Testing
import Web

@testable import Segments

@Suite("Rules and what was seen, in words")
struct SeenWordsTests {
    private static func property(
        _ name: String, _ label: String, _ type: PropertyType, options: [PropertyOption] = []
    ) -> FieldCatalog.Definition {
        FieldCatalog.Definition(
            property: RuleProperty(id: PropertyID(UUID()), name: name, type: type, isFast: false), isOfCompany: false,
            label: label, group: "", options: options)
    }

    private static let catalog = FieldCatalog([
        property("seats", "Seats", .number), property("revenue", "Annual revenue", .money),
        property(
            "tier", "Tier", .singleSelect, options: [PropertyOption(value: "g1", label: "Gold plus")]),
        property("since", "Customer since", .date), property("seen_at", "Last seen", .dateTime),
    ])
    private static let clock = RuleClock(
        now: Date(timeIntervalSince1970: 1_768_469_400), zone: "Europe/Berlin")

    @Test(
        "A condition reads like plain English, whatever the property is called",
        arguments: [
            (#"{"field":"properties.seats","operator":"is","value":5}"#, "People where Seats is 5."),
            (
                #"{"field":"properties.seats","operator":"moreThan","value":12000.5}"#,
                "People where Seats is more than 12,000.5."
            ),
            (
                #"{"field":"properties.tier","operator":"isNot","value":"g1"}"#, "People where Tier is not “Gold plus”."
            ),
            (#"{"field":"properties.since","operator":"isEmpty"}"#, "People where Customer since is not known."),
            (
                #"{"field":"properties.since","operator":"inLast","value":30}"#,
                "People where Customer since is in the last 30 days."
            ),
            (
                #"{"field":"properties.seen_at","operator":"after","value":"2026-03-31T07:30:00Z"}"#,
                "People where Last seen is after 31 March 2026, 09:30."
            ),
            (#"{"field":"createdAt","operator":"inLast","value":30}"#, "People who were added in the last 30 days."),
            (
                #"{"field":"company.createdAt","operator":"before","value":"2026-03-31"}"#,
                "People whose company was added before 31 March 2026."
            ),
            (
                #"{"field":"company.domain","operator":"is","value":"acme.example"}"#,
                "People whose company’s domain is “acme.example”."
            ),
            (
                #"{"field":"firstName","operator":"is","value":"Bo"}"#, "People whose first name is “Bo”."
            ),
        ])
    func sentences(condition: String, sentence: String) throws {
        let rules = try JSONBody.decode(JSONValue.self, from: Array(#"{"all":[\#(condition)]}"#.utf8))
        let group = try RuleParser.parse(rules, Self.catalog)
        #expect(RuleWords(Self.catalog, clock: Self.clock).sentence(group) == sentence)
    }

    @Test(
        "What was seen is said with labels, local days and grouped numbers",
        arguments: [
            ("properties.seats", FactValue.json(.int(12_408)), "12,408"),
            ("properties.tier", .json(.string("g1")), "“Gold plus”"),
            ("properties.since", .json(.string("2026-03-31")), "31 March 2026"),
            ("properties.seen_at", .json(.string("2026-03-31T22:30:00Z")), "1 April 2026, 00:30"),
            (
                "properties.revenue", .json(.object(["amount": .int(123_456_789), "currency": .string("EUR")])),
                "1,234,567.89 EUR"
            ),
            ("emailStatus", .text("unconfirmed"), "“Not confirmed”"), ("firstName", .text(nil), "empty"),
            ("createdAt", .moment(Date(timeIntervalSince1970: 1_768_469_400)), "15 January 2026, 10:30"),
            ("tags", .texts(["vip", "new"]), "vip, new"),
        ] as [(String, FactValue, String)])
    func seen(field: String, value: FactValue, text: String) throws {
        let field: RuleField = try #require(Self.catalog.field(field))
        let words = RuleWords(Self.catalog, clock: Self.clock)
        #expect(SeenWords(words: words, field: field, clock: Self.clock).words(value) == text)
    }

    @Test("The owner of somebody's company is seen by name, and deleting a segment asks about a segment")
    func pages() async throws {
        try await SegmentStage.with { stage in
            let browser = try await stage.ana.signIn()
            let company = try await stage.ask(
                .post, "/v1/companies", #"{"name":"Acme","ownerId":"\#(stage.ana.principal.user)"}"#
            ).json()
            let id: String = try #require(company["id"]?.stringValue)
            _ = try await stage.contact("bo@example.com", #","companyId":"\#(id)""#)
            let list = try await stage.segment("Owned", #"{"all":[{"field":"company.owner","operator":"isEmpty"}]}"#)
            let why = try await browser.get("/segments/\(list)?who=bo").text
            #expect(why.contains("Seen: Ana"))
            let old = try await browser.get("/lists/\(list)/delete")
            #expect(old.location == "/segments/\(list)/delete")
            let page = try await browser.get("/segments/\(list)/delete")
            #expect(page.text.contains("Delete the segment “Owned”?") && page.text.contains("Delete segment"))
            let current = try page.page().all("nav a[aria-current]").map(\.readableText)
            #expect(current.contains("Segments") && !current.contains("Lists"))
            #expect(try await browser.post("/segments/\(list)/delete").location?.hasPrefix("/segments") == true)
            #expect(try await browser.get("/segments/\(list)").status == .notFound)
        }
    }
}
