import Accounts
import Contacts
import Core
import FoundationEssentials
import Web

/// Takes in batches of records: reads them, applies what can be read, writes the log, and says of each row what it became.
struct SyncIntake: Sendable {
    let services: AppServices
    let log: SyncLog

    static let limit: Int = 1_000

    /// One row of the answer.
    struct Item: Encodable, Sendable {
        let index: Int
        let sourceType: String?
        let sourceId: String?
        let status: SyncOutcome.Status
        var id: String?
        var matchedBy: IdentifierKind?
        var conflicts: [ContactID]?
        var reason: String?
    }

    struct Answer: Encodable, Sendable {
        let syncId: SyncRunID
        let received: Int
        let created: Int
        let updated: Int
        let unchanged: Int
        let stale: Int
        let deleted: Int
        let failed: Int
        let results: [Item]
    }

    /// The rows of a body: `{"contacts": […], "sourceType": …}`.
    static func rows(
        in body: JSONValue, named name: String
    ) throws(ValidationErrors) -> (rows: [JSONValue], defaultType: String?) {
        guard case .object(let members) = body, case .array(let rows)? = members[name] else {
            throw ValidationErrors(name, "Send an object with a list of \(name).")
        }
        for other in members.keys.sorted() where other != name && other != "sourceType" {
            throw ValidationErrors(other, "There is no member called “\(other.prefix(60))” here.")
        }
        guard (1...limit).contains(rows.count) else { throw ValidationErrors(name, "Send 1 to \(limit) at once.") }
        return (rows, members["sourceType"]?.stringValue)
    }

    func contacts(
        _ rows: [JSONValue], defaultType: String?, caller: String, replayOf: SyncRunID? = nil, _ scope: WorkspaceScope
    ) async throws -> Answer {
        let reader = SyncReader(defaultType: defaultType, now: services.clock.now)
        let sync = ContactSync(services)
        return try await take(rows, .contacts, defaultType, caller, replayOf, scope) { row throws(ValidationErrors) in
            try reader.contact(row)
        } apply: { readable in
            try await sync.apply(readable, scope)
        }
    }

    func companies(
        _ rows: [JSONValue], defaultType: String?, caller: String, replayOf: SyncRunID? = nil, _ scope: WorkspaceScope
    ) async throws -> Answer {
        let reader = SyncReader(defaultType: defaultType, now: services.clock.now)
        let sync = CompanySync(services)
        return try await take(rows, .companies, defaultType, caller, replayOf, scope) { row throws(ValidationErrors) in
            try reader.company(row)
        } apply: { readable in
            try await sync.apply(readable, scope)
        }
    }

    private func take<Record: Sendable>(
        _ rows: [JSONValue], _ kind: SyncRun.Kind, _ defaultType: String?, _ caller: String, _ replayOf: SyncRunID?,
        _ scope: WorkspaceScope, read: (JSONValue) throws(ValidationErrors) -> Record,
        apply: ([Record]) async throws -> [SyncOutcome]
    ) async throws -> Answer {
        let started = ContinuousClock.now
        var readable: [Record] = []
        var flaws: [Int: ValidationErrors] = [:]
        for (index, row) in rows.enumerated() {
            do throws(ValidationErrors) {
                readable.append(try read(row))
            } catch {
                flaws[index] = error
            }
        }
        var outcomes: ArraySlice<SyncOutcome> = try await apply(readable)[...]
        let all: [SyncOutcome] = rows.indices.map { index in
            if let flaw = flaws[index] { return SyncOutcome(.failed, reason: SyncOutcome.words(flaw)) }
            return outcomes.popFirst() ?? SyncOutcome(.failed, reason: "It was not handled.")
        }
        let milliseconds = Int((ContinuousClock.now - started) / .milliseconds(1))
        let run = SyncRun(
            id: services.ids.next(), kind: kind, caller: caller, counts: Self.counts(all), milliseconds: milliseconds,
            receivedAt: services.clock.now, replayOf: replayOf)
        try await log.record(run, Self.failures(all, rows, defaultType), scope)
        return Self.answer(run, all, rows, defaultType)
    }

    private static func counts(_ outcomes: [SyncOutcome]) -> SyncRun.Counts {
        var counts = SyncRun.Counts(received: outcomes.count)
        for outcome in outcomes {
            switch outcome.status {
            case .created: counts.created += 1
            case .updated: counts.updated += 1
            case .unchanged: counts.unchanged += 1
            case .stale: counts.stale += 1
            case .deleted: counts.deleted += 1
            case .failed: counts.failed += 1
            }
        }
        return counts
    }

    private static func key(_ row: JSONValue, _ defaultType: String?) -> (type: String?, id: String?) {
        var id: String? = row["sourceId"]?.stringValue
        if case .int(let number)? = row["sourceId"] { id = String(number) }
        return (row["sourceType"]?.stringValue ?? defaultType, id)
    }

    /// A row that is tried again later must name its type itself.
    private static func failures(
        _ outcomes: [SyncOutcome], _ rows: [JSONValue], _ defaultType: String?
    ) -> [SyncFailure] {
        outcomes.indices.filter { outcomes[$0].status == .failed }.map { index in
            let key = key(rows[index], defaultType)
            var payload: JSONValue = rows[index]
            if case .object(var members) = payload, members["sourceType"] == nil, let defaultType {
                members["sourceType"] = .string(defaultType)
                payload = .object(members)
            }
            return SyncFailure(
                row: index, sourceType: key.type ?? "", sourceID: key.id ?? "", reason: outcomes[index].reason ?? "",
                payload: payload)
        }
    }

    private static func answer(
        _ run: SyncRun, _ outcomes: [SyncOutcome], _ rows: [JSONValue], _ defaultType: String?
    ) -> Answer {
        let items: [Item] = outcomes.indices.map { index in
            let outcome: SyncOutcome = outcomes[index]
            let key = key(rows[index], defaultType)
            var item = Item(index: index, sourceType: key.type, sourceId: key.id, status: outcome.status)
            item.id = outcome.id?.lowercased
            item.matchedBy = outcome.matchedBy
            item.conflicts = outcome.conflicts.isEmpty ? nil : outcome.conflicts
            item.reason = outcome.reason
            return item
        }
        let counts: SyncRun.Counts = run.counts
        return Answer(
            syncId: run.id, received: counts.received, created: counts.created, updated: counts.updated,
            unchanged: counts.unchanged, stale: counts.stale, deleted: counts.deleted, failed: counts.failed,
            results: items)
    }
}
