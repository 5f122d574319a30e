import Accounts
import Campaigns
import Core
import FoundationEssentials
import Jobs
import Messaging
import Postgres
import Tracking

/// Lets the example's campaign have gone out some days ago, and its people have opened and clicked since.
struct DemoEngagement: Job {
    static let kind = "demo.engagement"
    let workspace: WorkspaceID
    let send: SendID
}

extension DemoWorkspace {
    /// How long ago the campaign went out, in the end.
    private static let age: TimeInterval = 3 * 86_400

    /// Waits for the send to end, in steps of a second.
    func engage(_ job: DemoEngagement, tracking: TrackingSlice) async throws {
        let summary: SendSummary? = try await services.database.read(job.workspace) { transaction in
            try await SendQueries(workspace: job.workspace, tx: transaction).summary(job.send)
        }
        guard let summary, summary.state != .cancelled, summary.state != .failed else { return }
        guard summary.state == .sent else {
            try await services.database.write(job.workspace) { transaction in
                try await services.jobs.enqueue(
                    job, workspace: job.workspace, key: "demo:\(job.send)",
                    at: services.clock.now.addingTimeInterval(1),
                    in: transaction)
            }
            return
        }
        let messages: [MessageID] = try await services.database.write(job.workspace) { transaction in
            if let campaign = summary.campaign {
                try await CampaignActions.antedate(campaign, by: Self.age, job.workspace, in: transaction)
            }
            return try await messaging.antedate(job.send, by: Self.age, workspace: job.workspace, in: transaction)
        }
        let sentAt: Date = services.clock.now.addingTimeInterval(-Self.age)
        try await tracking.record(events(of: messages, in: job.workspace, sentAt: sentAt))
    }

    /// Four of ten open it, most of them soon; three of ten of those click.
    private func events(of messages: [MessageID], in workspace: WorkspaceID, sentAt: Date) -> [EmailEvent] {
        var events: [EmailEvent] = []
        for (number, message) in messages.enumerated() where number * 7 % 10 < 4 {
            // Between minutes and two days later, the later the rarer.
            let share: Double = Double(number * 37 % 100) / 100
            let wait: Double = share * share * share * 172_800
            let opened: Date = sentAt.addingTimeInterval(300 + wait)
            events.append(event(.open, message, workspace, at: opened))
            guard number * 13 % 10 < 3 else { continue }
            let link: Int = number % 3
            events.append(event(.click, message, workspace, at: opened.addingTimeInterval(40), link: link))
        }
        return events
    }

    private static let links = ["autumn", "wholesale", "brewing"]

    private func event(
        _ kind: Engagement.Kind, _ message: MessageID, _ workspace: WorkspaceID, at date: Date, link: Int? = nil
    ) -> EmailEvent {
        EmailEvent(
            id: services.ids.next(), workspace: workspace,
            engagement: Engagement(message: message, kind: kind, occurredAt: date, isHuman: true), linkNumber: link,
            url: link.map { "https://shop.example/\(Self.links[$0])" },
            engagementClass: EngagementClass(kind: .human, reason: "no_sign_of_a_machine"),
            userAgent: "Mozilla/5.0 (example)", network: "192.0.2.0/24")
    }
}
