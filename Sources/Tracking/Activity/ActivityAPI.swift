import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// Events over HTTP.
package struct ActivityAPI: Sendable {
    private let clock: WallClock
    private let intake: ActivityIntake

    package init(clock: WallClock, intake: ActivityIntake) {
        self.clock = clock
        self.intake = intake
    }

    /// Events with up to 16 KB of properties each.
    package static let body: BodyLimit = .bytes(10 << 20)

    func add(to routes: inout RouteTable) {
        routes.schema("Event", Self.eventSchema)
        routes.schema("EventResults", Self.resultsSchema)
        routes.api(.post, "/v1/events", .editor, body: Self.body, Self.operation(id: "recordEvents", tag: "Events")) {
            [self] request in
            try await record(request, source: "api", scope: try request.scope).response
        }
    }

    package static func operation(id: String, tag: String) -> APIOperation {
        APIOperation(
            id: id, tag: tag, summary: "Tell what people did",
            details: """
                One event, `{"events": […]}` or a list, up to 500. A repeated id is a no-op, whatever else the event says. \
                Unknown people are made. Late events are taken up to two years back, future ones are refused. One event that \
                is wrong is a 422; among several it fails by itself.
                """,
            body: .ref("Event"), response: .ref("EventResults"), problems: [503])
    }

    /// What a request brought and what became of it.
    package struct Recorded: Sendable {
        package struct Failure: Sendable {
            package let index: Int
            package let reason: String
            package let payload: JSONValue
        }

        package let response: WebResponse
        package let received: Int
        package let stored: Int
        package let repeated: Int
        package let failures: [Failure]
    }

    /// Reads, stores and answers.
    /// - Parameter source: which way the events came.
    package func record(_ request: WebRequest, source: String, scope: WorkspaceScope) async throws -> Recorded {
        try await record(try await request.jsonTree(limit: 10 << 20), source: source, scope: scope)
    }

    /// - Parameter body: one event or several, as a request brings them.
    package func record(_ body: JSONValue, source: String, scope: WorkspaceScope) async throws -> Recorded {
        let read = try ActivityInput(now: clock.now, source: source).events(in: body)
        if read.count == 1, case .failure(let errors)? = read.first { throw errors }
        let events: [ActivityEvent] = read.compactMap { try? $0.get() }
        var outcomes: ArraySlice<ActivityOutcome> = try await intake.take(events, scope)[...]
        var results: [Item] = []
        for (index, one) in read.enumerated() {
            switch one {
            case .failure(let errors): results.append(Item(index, errors))
            case .success: if let outcome = outcomes.popFirst() { results.append(Item(index, outcome)) }
            }
        }
        if read.count == 1, let flaws = results.first?.errors {
            var errors = ValidationErrors()
            for flaw in flaws { errors.add(String(flaw.pointer.dropFirst()), flaw.message) }
            try errors.throwIfAny()
        }
        return try recorded(results, Self.items(in: body))
    }

    private static func items(in body: JSONValue) -> [JSONValue] {
        if case .array(let items) = body { return items }
        if case .array(let items)? = body["events"] { return items }
        return [body]
    }

    private func recorded(_ results: [Item], _ payloads: [JSONValue]) throws -> Recorded {
        let stored: Int = results.count { $0.status == .stored }
        let repeated: Int = results.count { $0.status == .duplicate }
        let failures: [Recorded.Failure] = results.filter { $0.status == .failed }.map { item in
            let reasons: [String] = (item.errors ?? []).map { "\($0.pointer): \($0.message)" }
            return Recorded.Failure(
                index: item.index, reason: reasons.joined(separator: " "), payload: payloads[item.index])
        }
        let answer = Answer(stored: stored, duplicates: repeated, failed: failures.count, results: results)
        return Recorded(
            response: try .json(answer), received: results.count, stored: stored, repeated: repeated,
            failures: failures)
    }

    private enum Status: String, Encodable { case stored, duplicate, failed }

    private struct Flaw: Encodable, Sendable {
        let pointer: String
        let message: String
    }

    private struct Item: Encodable, Sendable {
        let index: Int
        let status: Status
        var contactId: ContactID?
        var errors: [Flaw]?

        init(_ index: Int, _ errors: ValidationErrors) {
            self.index = index
            status = .failed
            self.errors = Self.flaws(errors)
        }

        init(_ index: Int, _ outcome: ActivityOutcome) {
            self.index = index
            switch outcome {
            case .stored(let contact):
                status = .stored
                contactId = contact
            case .repeated: status = .duplicate
            case .unknownContact:
                status = .failed
                errors = [Flaw(pointer: "/contact/id", message: "There is no contact with this id.")]
            case .refused(let wrong):
                status = .failed
                errors = Self.flaws(wrong)
            }
        }

        private static func flaws(_ errors: ValidationErrors) -> [Flaw] {
            errors.entries.map { Flaw(pointer: "/\($0.field)", message: $0.message) }
        }
    }

    private struct Answer: Encodable, Sendable {
        let stored: Int
        let duplicates: Int
        let failed: Int
        let results: [Item]
    }

    private static let eventSchema: APISchema = .object(
        [
            ("id", .string(maxLength: ActivityLimits.key)), ("name", .string(maxLength: ActivityLimits.name)),
            (
                "contact",
                .object([
                    ("id", .id), ("email", .email), ("externalId", .string), ("externalSource", .string),
                    ("userId", .string), ("phone", .string), ("firstName", .string), ("lastName", .string),
                    ("properties", .map(of: .any)),
                ])
            ),
            ("properties", .map(of: .any)), ("occurredAt", .dateTime),
        ], required: ["name", "contact"])

    private static let resultsSchema: APISchema = .object(
        [
            ("stored", .integer), ("duplicates", .integer), ("failed", .integer),
            (
                "results",
                .array(
                    of: .object(
                        [
                            ("index", .integer), ("status", .string(oneOf: ["stored", "duplicate", "failed"])),
                            ("contactId", .id),
                            (
                                "errors",
                                .array(
                                    of: .object(
                                        [("pointer", .string), ("message", .string)], required: ["pointer", "message"]))
                            ),
                        ], required: ["index", "status"]))
            ),
        ], required: ["stored", "duplicates", "failed", "results"])
}
