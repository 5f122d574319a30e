import Contacts
import Core
import FoundationEssentials
import Portal
import Postgres
import TestSupport
import Testing

@testable import Segments

/// What is asked in parts, of copies and of companies that were named before, against one look at people themselves.
@Suite("Values as copies have them")
struct FactValuesTests {
    /// Stored lists of choices, as JSON.
    private static let lists: [String?] = [
        nil, "[]", "null", #""""#, #"["de"]"#, #"["de", "en"]"#, #"["De"]"#, #"["d\"e", "\\"]"#,
        #"["a\nb", "\u0001x"]"#,
        #"[", ", "x"]"#, #"["x", 5, "y"]"#, #"[{"de": 1}]"#, #"[["de"]]"#, #""de""#, "5", #"["", "de, en"]"#,
    ]
    /// Stored amounts, as JSON.
    private static let amounts: [String] = [
        #"{"amount": 100, "currency": "EUR"}"#, #"{"amount": -100, "currency": "EUR"}"#,
        #"{"amount": 100, "currency": "USD"}"#,
        #"{"amount": 9000000000000000, "currency": "EUR"}"#, #"{"amount": 100.5, "currency": "EUR"}"#,
        #"{"amount": "100", "currency": "EUR"}"#, #"{"amount": 100}"#, #"{"amount": 100, "currency": "eur"}"#, "100",
        "null",
        #"{"amount": 0, "currency": "EUT"}"#, #"{"amount": 1e30, "currency": "EUR"}"#,
        #"{"amount": -1e30, "currency": "EUR"}"#,
    ]

    /// People with the same values: so many that everybody is cut into parts.
    private static let alike = 20

    private static let conditions: [String] =
        ["de", "De", "DE", "en", #"d\"e"#, #"\\"#, #"a\nb"#, ", ", ", en", "x", "de, en", #"\", \""#].map {
            #"{"field":"properties.tongues","operator":"contains","value":"\#($0)"}"#
        }
        + [
            #"{"field":"properties.tongues","operator":"notContains","value":"de"}"#,
            #"{"field":"properties.tongues","operator":"containsAny","value":["en","x"]}"#,
            #"{"field":"properties.tongues","operator":"containsAll","value":["de","en"]}"#,
            #"{"field":"properties.tongues","operator":"containsNone","value":["de","x"]}"#,
            #"{"field":"properties.tongues","operator":"isEmpty"}"#,
            #"{"field":"properties.spent","operator":"isEmpty"}"#,
            #"{"field":"properties.spent","operator":"isNotEmpty"}"#,
            #"{"field":"properties.spent","operator":"between","value":["-1.00 EUR","1.00 EUR"]}"#,
        ]
        + ["is", "isNot", "moreThan", "lessThan", "atLeast", "atMost"].flatMap { comparison in
            ["1.00 EUR", "-1.00 EUR", "0.00 USD", "1.00 USD", "90000000000000.00 EUR"].map {
                #"{"field":"properties.spent","operator":"\#(comparison)","value":"\#($0)"}"#
            }
        }
        + [
            #"{"field":"company.name","operator":"contains","value":"a"}"#,
            #"{"field":"company.name","operator":"notContains","value":"a"}"#,
            #"{"field":"company.domain","operator":"isEmpty"}"#,
            #"{"all":[{"field":"company.name","operator":"startsWith","value":"ac"},{"behaviour":"event","name":"x","operator":"never"}]}"#,
            #"{"none":[{"field":"company.name","operator":"is","value":"acme"},{"field":"company.domain","operator":"is","value":"b.example"}]}"#,
            #"{"any":[{"field":"company.name","operator":"is","value":"nobody"},{"behaviour":"opened"}]}"#,
        ]

    @Test("Counted in parts, with and without copies, every value means what it means of the people themselves")
    func values() async throws {
        try await SegmentStage.with { stage in
            let workspace: WorkspaceID = stage.workspace
            try await stage.property("tongues", .multiSelect)
            try await stage.property("spent", .money)
            let database: Database = stage.portal.services.database
            let combined: [SQL] = Self.lists.flatMap { list in
                Self.amounts.map { amount in
                    """
                    (\(list.map { "jsonb_build_object('tongues', \($0)::text::jsonb)" as SQL } ?? "'{}'::jsonb")
                        || jsonb_build_object('spent', \(amount)::text::jsonb))
                    """
                }
            }
            _ = try await database.write(workspace) { tx in
                try await tx.run(
                    "test.companies",
                    """
                    INSERT INTO marketing_companies (workspace_id, id, name, domain, created_at, updated_at)
                    VALUES (\(workspace), md5('a')::uuid, 'Acme', 'a.example', now(), now()),
                        (\(workspace), md5('b')::uuid, 'Bolt', 'b.example', now(), now()),
                        (\(workspace), md5('c')::uuid, 'Alas', NULL, now(), now())
                    """)
                try await tx.run(
                    "test.people",
                    """
                    INSERT INTO marketing_contacts (workspace_id, id, properties, company_id, created_at, updated_at)
                    SELECT \(workspace), md5(n || '.' || k)::uuid, p, (ARRAY[md5('a'), md5('b'), md5('c'), NULL])[1 + n % 4]::uuid,
                        now(), now()
                    FROM unnest(ARRAY[\(SQL.join(combined, separator: ", "))]) WITH ORDINALITY AS x (p, n),
                        generate_series(1, \(Self.alike)) AS k
                    """)
            }
            for isCopied in [false, true] {
                if isCopied { try await FactsKeeper(services: stage.portal.services).copyEverybody(of: workspace) }
                for condition in Self.conditions {
                    let rules: String = condition.hasPrefix(#"{"field"#) ? #"{"all":[\#(condition)]}"# : condition
                    let counted = try await stage.count(rules)
                    #expect(counted.cut == counted.whole, "\(rules), copied: \(isCopied)")
                }
            }
        }
    }
}
