import Core
import FoundationEssentials
import Testing

@testable import Messaging

@Suite("Rules of the hand-over")
struct HandoverRulesTests {
    private let rules = SettlementRules(
        clock: .fixed(Date(timeIntervalSince1970: 1000)), randomness: Randomness { 0 })

    @Test(
        "A refusal for now is tried again after 5, 15 and 30 minutes, 1, 2 and 4 hours, then every four hours, then given up"
    )
    func retries() {
        let minutes: [Double] = (1...8).compactMap { RetrySchedule.wait(afterAttempt: $0, fraction: 0) }.map { $0 / 60 }
        #expect(minutes == [5, 15, 30, 60, 120, 240, 240, 240])
        #expect(RetrySchedule.wait(afterAttempt: RetrySchedule.attempts + 1, fraction: 0) == nil)
        let all: Double = (1...RetrySchedule.attempts).compactMap { RetrySchedule.wait(afterAttempt: $0, fraction: 0) }
            .reduce(0, +)
        #expect((44 * 3600.0...72 * 3600).contains(all))
        let entry = rules.entry(for: .soft("450 later"), attempt: 0)
        #expect(entry?.state == .retry)
        #expect(entry?.nextAttempt == Date(timeIntervalSince1970: 1300))
        #expect(rules.entry(for: .soft("450 later"), attempt: RetrySchedule.attempts)?.state == .failed)
    }

    @Test("What says nothing about a message leaves it as it was")
    func untouched() {
        #expect(rules.entry(for: .unavailable("down"), attempt: 0) == nil)
        #expect(rules.entry(for: .misconfigured("no"), attempt: 0) == nil)
        #expect(rules.entry(for: .notStarted, attempt: 0) == nil)
    }

    @Test("A server that answers without end and with line breaks is cut short to one line")
    func longAnswers() throws {
        let response: String = "250 ok\r\n" + String(repeating: "x", count: 1000)
        let kept: String = try #require(rules.entry(for: .accepted(response), attempt: 0)?.response)
        #expect(kept.count <= LedgerEntry.responseLimit + 1)
        #expect(!kept.contains("\n"))
    }

    @Test("Ten blocks in a row pause, an accepted message between starts the count anew")
    func streaks() {
        var streak = FailureStreak()
        for _ in 0..<9 { #expect(streak.note(.blocked("550")) == nil) }
        #expect(streak.note(.accepted("250")) == nil)
        for _ in 0..<9 { #expect(streak.note(.blocked("550")) == nil) }
        #expect(streak.note(.blocked("550")) != nil)
        var other = FailureStreak()
        #expect(other.note(.misconfigured("530")) == nil)
        #expect(other.note(.misconfigured("530")) == nil)
        #expect(other.note(.misconfigured("530")) != nil)
    }

    @Test("A rate spreads messages evenly")
    func pace() {
        var pace = SendingPace(perSecond: 10)
        let waits: [Double] = (0..<5).map { _ in pace.take(at: 100) }
        #expect(waits.first == 0)
        #expect(zip(waits, waits.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(abs((waits.last ?? 0) - 0) < 0.5)
    }

    @Test("The journal reads back what was written, and a torn end loses only itself")
    func journalRecords() throws {
        let run = JournalRecord.Run(workspace: WorkspaceID(UUID()), send: SendID(UUID()))
        let batch = JournalRecord.Batch(run: run, id: BatchID(UUID()), fence: 7)
        let first = MessageID(UUID())
        let second = MessageID(UUID())
        let records: [JournalRecord] = [
            .run(run), .begin(1, batch), .handing(1, first),
            .ended(1, .init(message: first, outcome: .soft("450 4.2.1 späterer Versuch"))), .handing(1, second),
            .settled(9),
        ]
        var bytes: [UInt8] = []
        for record in records { record.append(to: &bytes) }
        #expect(JournalRecord.parse(bytes) == records)
        for cut in 1..<bytes.count {
            let read = JournalRecord.parse(Array(bytes.dropLast(cut)))
            #expect(read == Array(records.prefix(read.count)))
        }
        let (runs, testimonies) = AbandonedJournal.evaluate(records)
        #expect(runs == [run])
        #expect(testimonies.count == 1)
        #expect(testimonies.first?.unanswered == [second])
        #expect(testimonies.first?.outcomes[first] == .soft("450 4.2.1 späterer Versuch"))
    }

    @Test("A journal belongs to its process: nobody else takes it while it lives")
    func journalLock() throws {
        let directory = "/tmp/portal-journal-\(UInt64.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var journal: HandoverJournal? = try HandoverJournal(directory: directory, name: "one")
        let path: String = try #require(journal?.path)
        let isHeld: Bool = try !canTake(path)
        #expect(isHeld)
        journal = nil
        let isFree: Bool = try canTake(path)
        #expect(isFree)
    }

    @Test("Lanes write the journal side by side, and every record of theirs is read back whole")
    func journalLanes() async throws {
        let directory = "/tmp/portal-journal-\(UInt64.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let journal = try HandoverJournal(directory: directory, name: "one")
        let run = JournalRecord.Run(workspace: WorkspaceID(UUID()), send: SendID(UUID()))
        let each = 300
        let expected: [UInt32: Set<MessageID>] = try await withThrowingTaskGroup(of: (UInt32, [MessageID]).self) {
            group in
            for lane in 0..<8 {
                group.addTask {
                    let tag: UInt32 = try journal.begin(.init(run: run, id: BatchID(UUID()), fence: Int64(lane)))
                    let messages: [MessageID] = (0..<each).map { _ in MessageID(UUID()) }
                    var previous: JournalRecord.Result?
                    for message in messages {
                        try journal.handing(message, after: previous, tag: tag)
                        previous = .init(message: message, outcome: .accepted("250 Ok: queued as \(lane)"))
                    }
                    return (tag, messages)
                }
            }
            var expected: [UInt32: Set<MessageID>] = [:]
            for try await (tag, messages) in group { expected[tag] = Set(messages) }
            return expected
        }
        let content = try #require(FileManager.default.contents(atPath: journal.path))
        let records: [JournalRecord] = JournalRecord.parse(Array(content))
        var begun: [UInt32: Set<MessageID>] = [:]
        var ended = 0
        for record in records {
            if case .handing(let tag, let message) = record { begun[tag, default: []].insert(message) }
            if case .ended = record { ended += 1 }
        }
        #expect(begun == expected)
        #expect(ended == 8 * (each - 1))
    }

    private func canTake(_ path: String) throws -> Bool {
        guard let journal = try AbandonedJournal(path: path) else { return false }
        return journal.batches.isEmpty
    }
}
