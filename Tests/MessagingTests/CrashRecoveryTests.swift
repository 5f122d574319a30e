import Core
import FoundationEssentials
import TestSupport
import Testing

@testable import Messaging

@Suite("Recovery after a crash")
struct CrashRecoveryTests {
    /// Claims the batches of a send in the name of a process, and notes in its journal how far it got, as a process would
    /// that is then killed.
    private func crash(
        _ stage: MessagingStage, _ run: JournalRecord.Run, directory: String, accepted: Int, unanswered: Int,
        answer: (Int) -> HandoverOutcome = { _ in .accepted("250 OK") }
    ) async throws -> String {
        let name: String = stage.services.ids.next(BatchID.self).description
        let journal = try HandoverJournal(directory: directory, name: name)
        try journal.noteRun(run)
        let claims = try await stage.services.database.write(stage.workspace) { tx in
            try await BatchQueries(workspace: stage.workspace, send: run.send, tx: tx).claim(1, by: name, now: Date())
        }
        let claim = try #require(claims.first)
        let tag = try journal.begin(.init(run: run, id: claim.id, fence: claim.fence))
        let messages = try await stage.services.database.read(stage.workspace) { tx in
            try await BatchQueries(workspace: stage.workspace, send: run.send, tx: tx)
                .messages(of: claim, withProperties: false, at: Date())
        }
        var previous: JournalRecord.Result?
        for (index, message) in messages.prefix(accepted).enumerated() {
            try journal.handing(message.id, after: previous, tag: tag)
            previous = JournalRecord.Result(message: message.id, outcome: answer(index))
        }
        if let previous { try journal.ended(previous, tag: tag) }
        for message in messages.dropFirst(accepted).prefix(unanswered) {
            try journal.handing(message.id, after: nil, tag: tag)
        }
        return name
    }

    @Test("The journal of a killed process tells what was accepted, what was not begun and what is uncertain")
    func journalOnTheSameMachine() async throws {
        try await MessagingStage.with(people: 20) { stage in
            let run = try await stage.launch(batchSize: 20)
            let directory = "\(stage.services.varDirectory)/handover"
            _ = try await crash(stage, run, directory: directory, accepted: 6, unanswered: 2)
            let carrier = FakeCarrier()
            try await stage.dispatcher(carrier).dispatch(run)
            #expect(try await stage.tally(run) == ["sent": 18, "uncertain:crash_uncertain": 2])
            #expect(carrier.accepted.count == 12)
            let summary = try await stage.summary(run)
            #expect(summary.state == .sent)
            #expect(summary.sent == 18)
            #expect(summary.uncertain == 2)
        }
    }

    @Test("A claim whose journal is elsewhere is parked when its lease is over, and not before")
    func journalLost() async throws {
        try await MessagingStage.with(people: 20) { stage in
            let run = try await stage.launch(batchSize: 20)
            let elsewhere = "\(stage.services.varDirectory)/elsewhere"
            _ = try await crash(stage, run, directory: elsewhere, accepted: 6, unanswered: 2)
            let carrier = FakeCarrier()
            try await stage.dispatcher(carrier).dispatch(run)
            #expect(carrier.accepted.isEmpty)
            #expect(try await stage.summary(run).state == .sending)
            try await stage.run("UPDATE marketing_send_batches SET leased_until = now() - interval '1 second'")
            try await stage.dispatcher(carrier).dispatch(run)
            #expect(carrier.accepted.isEmpty)
            let first = try await stage.tally(run)
            #expect(first["uncertain:crash_uncertain"] ?? 0 > 0)
            #expect(first["sent"] == nil)
            #expect(try await stage.summary(run).state == .sent)
            // Later the journal is found after all: what it knows to be accepted is sent.
            let recovery = stage.dispatcher(carrier, journals: elsewhere).recovery
            await recovery.takeOverAbandonedJournals()
            #expect(try await stage.tally(run)["sent"] == 6)
        }
    }

    @Test("What the database refuses of a journal is parked alone, and the journal is done with")
    func refusedRows() async throws {
        try await MessagingStage.with(people: 40) { stage in
            try await stage.runAsOwner(
                "ALTER TABLE marketing_messages ADD CONSTRAINT refused CHECK (provider_response <> 'poison') NOT VALID")
            let run = try await stage.launch(batchSize: 20)
            let directory = "\(stage.services.varDirectory)/handover"
            for poisoned in [3, 11] {
                _ = try await crash(stage, run, directory: directory, accepted: poisoned + 2, unanswered: 1) { index in
                    switch index {
                    case poisoned: .accepted("poison")
                    case 0: .hard("550 5.1.1 unknown")
                    case 1: .soft("450 4.2.1 later")
                    default: .accepted("250 OK")
                    }
                }
            }
            #expect(AbandonedJournal.paths(in: directory).count == 2)
            await stage.dispatcher(FakeCarrier()).recovery.takeOverAbandonedJournals()
            #expect(AbandonedJournal.paths(in: directory).isEmpty)
            let told = try await stage.tally(run)
            #expect(told["uncertain:not_recorded"] == 2)
            #expect(told["uncertain:crash_uncertain"] == 2)
            #expect(told["failed:hard_bounce"] == 2)
            #expect(told["retry:soft_bounce"] == 2)
            #expect(told["sent"] == 12)
            let carrier = FakeCarrier()
            try await stage.dispatcher(carrier).dispatch(run)
            #expect(carrier.accepted.count == 20)
            #expect(try await stage.tally(run)["sent"] == 32)
            let details = try await stage.services.database.read(stage.workspace) { tx in
                try await UncertainQueries(workspace: stage.workspace, send: run.send, tx: tx)
                    .page(after: nil, limit: 10).compactMap(\.detail)
            }
            #expect(details.filter { $0.contains("SQLSTATE 23514") }.count == 2)
        }
    }

    @Test("A journal of which nothing can be written is kept, its send pauses, and goes on when the database takes it")
    func refusedJournal() async throws {
        try await MessagingStage.with(people: 20) { stage in
            let run = try await stage.launch(batchSize: 20)
            let directory = "\(stage.services.varDirectory)/handover"
            let name: String = try await crash(stage, run, directory: directory, accepted: 6, unanswered: 0)
            try await stage.runAsOwner("REVOKE UPDATE ON marketing_messages FROM marketing_app")
            let carrier = FakeCarrier()
            let dispatcher: SendDispatcher = stage.dispatcher(carrier)
            try await dispatcher.dispatch(run)
            #expect(carrier.accepted.isEmpty)
            #expect(AbandonedJournal.paths(in: directory).contains { $0.contains(name) })
            let held = try await stage.summary(run)
            #expect(held.state == .paused)
            #expect(held.notice?.contains("refuses to take down") == true)
            #expect(try await stage.tally(run) == ["pending": 20])
            try await stage.runAsOwner("GRANT UPDATE ON marketing_messages TO marketing_app")
            await dispatcher.recovery.takeOverAbandonedJournals()
            #expect(try await stage.tally(run) == ["sent": 6, "pending": 14])
            _ = try await stage.services.database.write(stage.workspace) { tx in
                try await SendActions(services: stage.services).resume(run.send, workspace: stage.workspace, in: tx)
            }
            try await dispatcher.dispatch(run)
            #expect(carrier.accepted.count == 14)
            #expect(try await stage.tally(run) == ["sent": 20])
            #expect(try await stage.summary(run).state == .sent)
        }
    }

    @Test("A person decides about uncertain messages: counted as sent, or sent again")
    func decisions() async throws {
        try await MessagingStage.with(people: 4) { stage in
            let run = try await stage.launch()
            let lost = FakeCarrier(lanes: 1) { recipient, _ in
                recipient < "p2" ? .uncertain(.connectionLostAfterData, "gone") : .accepted("250 OK")
            }
            try await stage.dispatcher(lost).dispatch(run)
            #expect(try await stage.summary(run).uncertain == 2)
            let parked = try await stage.services.database.read(stage.workspace) { tx in
                try await UncertainQueries(workspace: stage.workspace, send: run.send, tx: tx).page(
                    after: nil, limit: 10)
            }
            let chosen: [MessageID] = parked.filter { $0.email == "p0@example.com" }.map(\.id)
            let actions = SendActions(services: stage.services)
            let counted = try await stage.services.database.write(stage.workspace) { tx in
                try await actions.resolveUncertain(
                    run.send, sendAgain: false, messages: chosen, workspace: stage.workspace, in: tx)
            }
            #expect(counted == 1)
            _ = try await stage.services.database.write(stage.workspace) { tx in
                try await actions.resolveUncertain(
                    run.send, sendAgain: true, messages: nil, workspace: stage.workspace, in: tx)
            }
            let carrier = FakeCarrier()
            try await stage.dispatcher(carrier).dispatch(run)
            #expect(carrier.recipients == ["p1@example.com"])
            let summary = try await stage.summary(run)
            #expect(summary.state == .sent)
            #expect(summary.sent == 4)
            #expect(summary.uncertain == 0)
            #expect(summary.retrying == 0)
        }
    }
}
