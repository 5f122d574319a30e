import Accounts
import Core
import FoundationEssentials
import TestSupport
import Testing

@testable import Contacts
@testable import Messaging

@Suite("Merging people while a send runs")
struct MergedMessagesTests {
    private func person(_ stage: MessagingStage, _ email: String) async throws -> ContactID {
        try await stage.services.database.read(stage.workspace) { tx in
            try await tx.value(
                ContactID.self, "test.person",
                "SELECT id FROM marketing_contacts WHERE workspace_id = \(stage.workspace) AND email_key = \(email)")
        }
    }

    /// Makes the second person part of the first.
    @discardableResult
    private func merge(_ stage: MessagingStage, _ winner: String, _ loser: String) async throws -> MergeID {
        let merging = ContactMerging(services: stage.services, others: MessagingSlice.contactReferences)
        let outcome = try await merging.merge(
            try await person(stage, winner), try await person(stage, loser), stage.member.scope)
        guard case .merged(let id) = outcome else { throw TestFailure("not merged") }
        return id
    }

    @Test("Two people who are merged while both wait are one person, who gets it once")
    func bothWait() async throws {
        try await MessagingStage.with(people: 5) { stage in
            let run = try await stage.launch()
            try await merge(stage, "p0@example.com", "p1@example.com")
            try await merge(stage, "p2@example.com", "p0@example.com")
            let carrier = FakeCarrier()
            try await stage.dispatcher(carrier).dispatch(run)
            #expect(carrier.recipients.sorted() == ["p2@example.com", "p3@example.com", "p4@example.com"])
            #expect(try await stage.tally(run) == ["sent": 3, "skipped:merged": 2])
            let summary = try await stage.summary(run)
            #expect(summary.state == .sent)
            #expect(summary.recipients == 3)
            #expect(summary.skipped == 2)
        }
    }

    @Test("Who got it already as one of two people does not get it as the other", arguments: [true, false])
    func oneHasIt(winnerHasIt: Bool) async throws {
        try await MessagingStage.with(people: 3) { stage in
            let run = try await stage.launch()
            let control = SendControl()
            let first = FakeCarrier(lanes: 1) { _, _ in
                control.stop(.paused)
                return .accepted("250 OK")
            }
            try await stage.dispatcher(first).dispatch(run, whenStopped: control)
            let reached: String = try #require(first.recipients.first)
            let waiting: String = reached == "p0@example.com" ? "p1@example.com" : "p0@example.com"
            if winnerHasIt {
                try await merge(stage, reached, waiting)
            } else {
                try await merge(stage, waiting, reached)
            }
            let second = FakeCarrier()
            try await stage.dispatcher(second).dispatch(run)
            #expect(first.recipients.count == 1)
            #expect(second.recipients.count == 1)
            #expect(!second.recipients.contains(waiting))
            #expect(try await stage.tally(run) == ["sent": 2, "skipped:merged": 1])
        }
    }

    @Test(
        "While one of two people is being sent what the other gets too, they are not made one",
        arguments: [true, false])
    func underWay(winnerIsUnderWay: Bool) async throws {
        try await MessagingStage.with(people: 3) { stage in
            let run = try await stage.launch(batchSize: 1)
            let merging = ContactMerging(
                services: stage.services, others: MessagingSlice.contactReferences, patience: 0)
            let (taken, other): (ContactID, ContactID) = try await stage.services.database.write(stage.workspace) {
                tx in
                let batch = try #require(
                    try await BatchQueries(workspace: stage.workspace, send: run.send, tx: tx).claim(
                        1, by: "test", now: stage.services.clock.now
                    ).first)
                let people: [ContactID] = try await tx.values(
                    ContactID.self, "test.people",
                    """
                    SELECT contact_id FROM marketing_messages WHERE workspace_id = \(stage.workspace)
                    ORDER BY id = \(batch.first) DESC
                    """)
                return (people[0], people[1])
            }
            let (winner, loser) = winnerIsUnderWay ? (taken, other) : (other, taken)
            #expect(try await merging.merge(winner, loser, stage.member.scope) == .busy)
            if winnerIsUnderWay { try await isRefused(stage, winner, loser) }
            // It was not begun, and is given back.
            try await stage.services.database.write(stage.workspace) { tx in
                try await BatchQueries(workspace: stage.workspace, send: run.send, tx: tx)
                    .returnUnknown(claimedBy: "test", except: [])
            }
            guard case .merged = try await merging.merge(winner, loser, stage.member.scope) else {
                throw TestFailure("not merged")
            }
            try await stage.dispatcher(FakeCarrier()).dispatch(run)
            #expect(try await stage.tally(run) == ["sent": 2, "skipped:merged": 1])
        }
    }

    /// By API and by the form, which comes back as it was filled in.
    private func isRefused(_ stage: MessagingStage, _ one: ContactID, _ other: ContactID) async throws {
        let browser = try await stage.member.signIn()
        let path = "/contacts/\(one)/merge/\(other)"
        async let answer = stage.member.api(.post, "/v1/contacts/\(one)/merge", #"{"loserId":"\#(other)"}"#)
        let shown = try await browser.post(path, [("keep", "second"), ("field:email", "second")])
        #expect(shown.status == .conflict)
        let page = try shown.page()
        #expect(try page.text(".flash").contains("Try again in a minute"))
        let fields = try page.fields(of: "form[action='\(path)']")
        #expect(fields["keep"] == "second")
        #expect(fields["field:email"] == "second")
        #expect(try await answer.status == .conflict)
        #expect(try await answer.json()["code"] == .string("being_sent"))
    }

    @Test("What waits while two people become one is not taken before they are")
    func takenMeanwhile() async throws {
        try await MessagingStage.with(people: 2) { stage in
            let run = try await stage.launch()
            let pair = MergePair(
                workspace: stage.workspace, merge: stage.services.ids.next(),
                winner: try await person(stage, "p0@example.com"), loser: try await person(stage, "p1@example.com"))
            func claim() async throws -> Int {
                try await stage.services.database.write(stage.workspace) { tx in
                    let queries = BatchQueries(workspace: stage.workspace, send: run.send, tx: tx)
                    return try await queries.claim(10, by: "test", now: stage.services.clock.now).count
                }
            }
            let (isBusy, claimed) = try await stage.services.database.write(stage.workspace) { tx in
                (try await tx.pipeline(MergedCopies.areBeingSent(pair)).first, try await claim())
            }
            #expect(isBusy == false)
            #expect(claimed == 0)
            #expect(try await claim() == 1)
        }
    }

    @Test("Where the one who stays had no address, the message of the other goes out, to the address they have now")
    func loserHasTheAddress() async throws {
        try await MessagingStage.with(people: 2) { stage in
            let winner: ContactID = try await person(stage, "p0@example.com")
            try await stage.run("UPDATE marketing_contacts SET email = NULL, email_key = NULL WHERE id = \(winner)")
            let run = try await stage.launch()
            let merging = ContactMerging(services: stage.services, others: MessagingSlice.contactReferences)
            _ = try await merging.merge(winner, try await person(stage, "p1@example.com"), stage.member.scope)
            let carrier = FakeCarrier()
            try await stage.dispatcher(carrier).dispatch(run)
            #expect(carrier.recipients == ["p1@example.com"])
            #expect(try await stage.tally(run) == ["sent": 1, "skipped:no_email": 1])
        }
    }

    @Test("Who was on an excluded list as one of two people gets nothing as the other")
    func excluded() async throws {
        try await MessagingStage.with(people: 2) { stage in
            let excluded: ContactListID = stage.services.ids.next()
            try await stage.addList(excluded)
            let winner: ContactID = try await person(stage, "p0@example.com")
            try await stage.run(
                """
                INSERT INTO marketing_list_members (workspace_id, list_id, contact_id, added_at)
                VALUES (\(stage.workspace), \(excluded), \(winner), now())
                """)
            let run = try await stage.launch(
                audience: SendAudience(listIds: [stage.list], excludeListIds: [excluded]))
            try await merge(stage, "p0@example.com", "p1@example.com")
            let carrier = FakeCarrier()
            try await stage.dispatcher(carrier).dispatch(run)
            #expect(carrier.recipients.isEmpty)
            #expect(try await stage.tally(run) == ["skipped:on_excluded_list": 2])
        }
    }

    @Test("After a merge was taken back both get theirs")
    func takenBack() async throws {
        try await MessagingStage.with(people: 2) { stage in
            let run = try await stage.launch()
            let id: MergeID = try await merge(stage, "p0@example.com", "p1@example.com")
            let merging = ContactMerging(services: stage.services, others: MessagingSlice.contactReferences)
            _ = try await merging.undo(id, stage.member.scope)
            let carrier = FakeCarrier()
            try await stage.dispatcher(carrier).dispatch(run)
            #expect(carrier.recipients.sorted() == ["p0@example.com", "p1@example.com"])
            #expect(try await stage.tally(run) == ["sent": 2])
        }
    }
}
