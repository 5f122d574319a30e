import Core
import FoundationEssentials
import TestSupport
import Testing
import Web

@Suite("Idempotency keys")
struct IdempotencyTests {
    private static func key(_ value: String) throws -> HTTPFields {
        [try #require(HTTPField.Name("Idempotency-Key")): value]
    }

    private static func isReplayed(_ answer: TestResponse) throws -> Bool {
        answer.headers[try #require(HTTPField.Name("Idempotency-Replayed"))] == "true"
    }

    private static func contacts(_ ana: TestMember) async throws -> Int {
        guard case .array(let people)? = try await ana.api(.get, "/v1/contacts?limit=200").json()["data"] else {
            return -1
        }
        return people.count
    }

    @Test("A repeated request gets the stored answer and has no second effect")
    func replays() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let first = try await ana.api(.post, "/v1/lists", #"{"name":"News"}"#, headers: Self.key("k-1"))
            let second = try await ana.api(.post, "/v1/lists", #"{"name":"News"}"#, headers: Self.key("\"k-1\""))
            #expect(first.status == .created)
            #expect(try !Self.isReplayed(first))
            #expect(second.status == .created)
            #expect(try Self.isReplayed(second))
            #expect(second.bytes == first.bytes)
            #expect(second.headers[.location] == first.headers[.location])
            #expect(second.headers[.contentType] == first.headers[.contentType])
        }
    }

    @Test("The same key with another body or another address is refused with 422")
    func refusesReuse() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            _ = try await ana.api(.post, "/v1/lists", #"{"name":"News"}"#, headers: Self.key("k"))
            let otherBody = try await ana.api(.post, "/v1/lists", #"{"name":"Old"}"#, headers: Self.key("k"))
            let longer = try await ana.api(.post, "/v1/lists", #"{"name":"News"} "#, headers: Self.key("k"))
            let otherQuery = try await ana.api(.post, "/v1/lists?x=1", #"{"name":"News"}"#, headers: Self.key("k"))
            for answer in [otherBody, longer, otherQuery] {
                #expect(answer.status == .unprocessableContent)
                #expect(try answer.json()["code"] == .string("idempotency_key_reused"))
            }
        }
    }

    @Test("Refusals of a body are stored; another route and another workspace have keys of their own")
    func storesRefusals() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let bob = try await portal.register("Bob")
            let bad = try await ana.api(.post, "/v1/lists", #"{"name":""}"#, headers: Self.key("k"))
            let again = try await ana.api(.post, "/v1/lists", #"{"name":""}"#, headers: Self.key("k"))
            #expect(bad.status == .unprocessableContent)
            #expect(try Self.isReplayed(again))
            #expect(again.headers[.contentType] == "application/problem+json")
            let person = #"{"email":"a@b.example"}"#
            #expect(try await ana.api(.post, "/v1/contacts", person, headers: Self.key("k")).status == .created)
            #expect(try await bob.api(.post, "/v1/contacts", person, headers: Self.key("k")).status == .created)
        }
    }

    @Test("Fifty identical requests at once have one effect")
    func survivesParallelRequests() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let headers = try Self.key("burst")
            let answers = try await withThrowingTaskGroup(of: TestResponse.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        try await ana.api(
                            .post, "/v1/contacts", #"{"firstName":"Zoë","email":"z@b.example"}"#, headers: headers)
                    }
                }
                return try await group.reduce(into: [TestResponse]()) { $0.append($1) }
            }
            #expect(try await Self.contacts(ana) == 1)
            #expect(try answers.filter { try $0.status == .created && !Self.isReplayed($0) }.count == 1)
            for answer in answers where answer.status != .created {
                #expect(answer.status == .conflict)
                #expect(answer.headers[.retryAfter] == "1")
            }
        }
    }

    @Test("An upload is compared by the hash of its stream")
    func comparesUploads() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            var headers = try Self.key("file")
            headers[.contentType] = "text/csv"
            let path = "/v1/contacts/import"
            let first = try await ana.api(.post, path, "email\na@b.example\n", headers: headers)
            let same = try await ana.api(.post, path, "email\na@b.example\n", headers: headers)
            let other = try await ana.api(.post, path, "email\nc@b.example\n", headers: headers)
            #expect(first.status == .accepted)
            #expect(try same.json()["id"] == first.json()["id"])
            #expect(try Self.isReplayed(same))
            #expect(other.status == .unprocessableContent)
        }
    }

    @Test("A key without an answer is 409: with Retry-After at first, later without, because nobody knows the outcome")
    func answersWhileRunning() async throws {
        let now = Moment(PortalFixture.noon)
        try await PortalFixture.with(clock: WallClock { now.value }) { portal in
            let ana = try await portal.register("Ana")
            let target = "/v1/lists"
            _ = try await portal.services.database.write(ana.scope.workspace) { transaction in
                try await transaction.run(
                    "test.claim",
                    """
                    INSERT INTO marketing_idempotency_keys (workspace_id, route, key, target, created_at)
                    VALUES (\(ana.scope.workspace), 'POST /v1/lists', 'k', \(target), \(now.value))
                    """)
            }
            let running = try await ana.api(.post, target, #"{"name":"News"}"#, headers: Self.key("k"))
            #expect(running.status == .conflict)
            #expect(running.headers[.retryAfter] == "1")
            now.value += 1000
            let cutOff = try await ana.api(.post, target, #"{"name":"News"}"#, headers: Self.key("k"))
            #expect(cutOff.status == .conflict)
            #expect(cutOff.headers[.retryAfter] == nil)
            #expect(try cutOff.json()["code"] == .string("idempotency_outcome_unknown"))
        }
    }

    @Test("Keys are forgotten by the hourly sweep once a day has passed")
    func sweeps() async throws {
        let now = Moment(PortalFixture.noon)
        try await PortalFixture.with(clock: WallClock { now.value }) { portal in
            let ana = try await portal.register("Ana")
            _ = try await ana.api(.post, "/v1/lists", #"{"name":"News"}"#, headers: Self.key("k"))
            func kept() async throws -> Int {
                try await portal.services.database.read(ana.scope.workspace) { transaction in
                    try await transaction.value(
                        Int.self, "test.keys", "SELECT count(*) FROM marketing_idempotency_keys")
                }
            }
            try await portal.assembly.accounts.sweep()
            #expect(try await kept() == 1)
            now.value += 86_401
            try await portal.assembly.accounts.sweep()
            #expect(try await kept() == 0)
        }
    }

    @Test("A malformed key is 400; PUT and DELETE, which need none, pass it by", arguments: ["", "\"\"", "a b", "ü"])
    func refusesMalformedKeys(key: String) async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let answer = try await ana.api(.post, "/v1/lists", #"{"name":"News"}"#, headers: Self.key(key))
            #expect(answer.status == .badRequest)
            #expect(try answer.json()["code"] == .string("bad_idempotency_key"))
            let tooLong = String(repeating: "k", count: 256)
            let long = try await ana.api(.post, "/v1/lists", #"{"name":"News"}"#, headers: Self.key(tooLong))
            #expect(long.status == .badRequest)
        }
    }
}
