import Core
import FoundationEssentials
import Postgres
import PostgresTesting
import Testing

@Suite("Values")
struct ValueTests {
    private func roundTrip<Value: PostgresEncodable & PostgresDecodable & Equatable>(
        _ values: [Value], _ session: some PostgresSession
    ) async throws {
        for value in values {
            let answer: Value = try await session.value(Value.self, "test.roundTrip", "SELECT \(value)")
            #expect(answer == value)
        }
    }

    @Test("every type comes back as it went in")
    func types() async throws {
        try await TestDatabase.withDatabase { database in
            try await database.session { session in
                try await roundTrip([Int.min, -1, 0, 1, .max], session)
                try await roundTrip([Int16.min, 0, .max], session)
                try await roundTrip([Int32.min, 0, .max], session)
                try await roundTrip([Int64.min, 0, .max], session)
                try await roundTrip([true, false], session)
                try await roundTrip([0.0, -1.5, .pi, .infinity, .greatestFiniteMagnitude], session)
                try await roundTrip(["", "Zoë's \"x\" \\ $1 -- ; 👩‍🚀", String(repeating: "ü", count: 100_000)], session)
                try await roundTrip([UUID(), UUID()], session)
                try await roundTrip([IdentifierSource().next(ContactID.self)], session)
                try await roundTrip([[UInt8](), [0, 1, 255], [UInt8](repeating: 7, count: 300_000)], session)
                try await roundTrip([Role.owner, .viewer], session)
                try await roundTrip([String?.none, "x"], session)
                try await roundTrip([Int?.none, 5], session)
                try await roundTrip([UUID?.none], session)
            }
        }
    }

    @Test("arrays come back, also empty ones and ones with nothing in places")
    func arrays() async throws {
        try await TestDatabase.withDatabase { database in
            try await database.session { session in
                try await roundTrip([[String](), ["", "a", "ü'\""]], session)
                try await roundTrip([[String?](), [nil, "a", nil]], session)
                try await roundTrip([[Int](), [1, -2]], session)
                try await roundTrip([[Int64](), [1, -2]], session)
                try await roundTrip([[Bool?](), [true, nil, false]], session)
                try await roundTrip([[Double](), [1.5, -2]], session)
                try await roundTrip([[UUID](), [UUID(), UUID()]], session)
                try await roundTrip([[ContactID](), [ContactID(UUID())]], session)
                try await roundTrip([[[UInt8]](), [[1], []]], session)
                try await roundTrip([[JSONValue](), [.int(1), .null]], session)
                try await roundTrip([[Date](), [Date(timeIntervalSince1970: 1_700_000_000.25)]], session)
                try await roundTrip([[Int]?.none, [1]], session)
            }
        }
    }

    @Test("times keep their microseconds, before and after 2000")
    func times() async throws {
        let times: [Double] = [0, 1_763_712_000.123456, -2_000_000_000.5, 946_684_800]
        try await TestDatabase.withDatabase { database in
            try await database.session { session in
                for seconds in times {
                    let time = Date(timeIntervalSince1970: seconds)
                    let answer: Date = try await session.value(Date.self, "test.time", "SELECT \(time)")
                    #expect(abs(answer.timeIntervalSince(time)) < 0.000_000_6)
                    let again: Date = try await session.value(Date.self, "test.time", "SELECT \(answer)")
                    #expect(again == answer)
                }
                try await roundTrip([Date.distantFuture, .distantPast], session)
                let midnight: Date = try await session.value(Date.self, "test.date", "SELECT date '2026-11-21'")
                #expect(midnight == Date(timeIntervalSince1970: 1_795_219_200))
            }
        }
    }

    private struct Settings: Codable, Equatable, Sendable {
        var name: String
        var since: Date
    }

    @Test("JSON comes back, with its numbers, escapes and depth")
    func json() async throws {
        let value: JSONValue = .object([
            "text": .string("a\"b\\c\n\u{1}ü👍"), "list": .array([.int(1), .double(1.5), .bool(true), .null]),
            "empty": .object([:]), "large": .int(.max), "none": .array([]),
        ])
        let settings = Settings(name: "x", since: Date(timeIntervalSince1970: 1_700_000_000))
        try await TestDatabase.withDatabase { database in
            try await database.session { session in
                try await roundTrip([value, .null, .string(""), .int(-5)], session)
                try await roundTrip([JSONB(settings)], session)
                let text: String = try await session.value(String.self, "test.json", "SELECT \(value)->>'text'")
                #expect(text == "a\"b\\c\n\u{1}ü👍")
                let escaped: JSONValue = try await session.value(
                    JSONValue.self, "test.json", "SELECT '{\"k\": \"\\ud83d\\udc4d\\u00fc\"}'::json")
                #expect(escaped["k"] == .string("👍ü"))
            }
        }
    }

    @Test("counts, sums and averages are numbers")
    func numerics() async throws {
        try await TestDatabase.withDatabase { database in
            try await database.session { session in
                let count: Int = try await session.value(
                    Int.self, "test.count", "SELECT count(*) FROM generate_series(1, 12345)")
                #expect(count == 12345)
                let sum: Int = try await session.value(
                    Int.self, "test.sum", "SELECT sum(x) FROM generate_series(1, 100000::bigint) x")
                #expect(sum == 5_000_050_000)
                let average: Double = try await session.value(
                    Double.self, "test.average", "SELECT avg(x) FROM (VALUES (1), (2), (4)) v (x)")
                #expect(abs(average - 7.0 / 3) < 1e-12)
                for text in ["0", "-1", "10000", "-99990000", "9223372036854775807", "-9223372036854775808"] {
                    let whole: Int = try await session.value(Int.self, "test.numeric", "SELECT \(text)::numeric")
                    #expect(String(whole) == text)
                }
                let small: Double = try await session.value(Double.self, "test.small", "SELECT -0.000125::numeric")
                #expect(abs(small + 0.000125) < 1e-15)
            }
        }
    }

    @Test("a wrong type is an error that names statement and column, not the value")
    func mismatches() async throws {
        try await TestDatabase.withDatabase { database in
            try await database.session { session in
                let wrong = try #require(
                    await #expect(throws: PostgresError.self) {
                        _ = try await session.value(Int.self, "test.wrong", "SELECT 'secret' AS nickname")
                    })
                #expect("\(wrong)" == "test.wrong: column nickname has type 25, not whole number")
                let null = try #require(
                    await #expect(throws: PostgresError.self) {
                        _ = try await session.value(Int.self, "test.null", "SELECT NULL::bigint AS total")
                    })
                #expect("\(null)" == "test.null: column total is null")
                let missing = try #require(
                    await #expect(throws: PostgresError.self) {
                        _ = try await session.rows(as: (Int, Int).self, "test.few", "SELECT 1")
                    })
                #expect("\(missing)".contains("column 2"))
                let role = try #require(
                    await #expect(throws: PostgresError.self) {
                        _ = try await session.value(Role.self, "test.role", "SELECT 'king'")
                    })
                #expect("\(role)".contains("no valid Role"))
                // The session goes on.
                #expect(try await session.value(Int.self, "test.after", "SELECT 1") == 1)
            }
        }
    }
}
