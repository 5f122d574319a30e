import Core
import FoundationEssentials
import Messaging
import Web

/// A campaign as JSON comes in. Members that are absent keep what is there.
struct CampaignJSON: Decodable {
    struct Step: Decodable {
        let type: String?
        let subject: String?
        let previewText: String?
        let html: String?
        let bodyMode: BodyMode?
    }

    let name: String?
    let type: String?
    let audience: SendAudience?
    let steps: [Step]?
    let fromName: String?
    let fromEmail: String?
    let replyTo: String?
    let version: Int?
    private let names: Set<String>

    private enum CodingKeys: String, CodingKey {
        case name, type, audience, steps, fromName, fromEmail, replyTo, version
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decodeIfPresent(String.self, forKey: .name)
        type = try container.decodeIfPresent(String.self, forKey: .type)
        audience = try container.decodeIfPresent(SendAudience.self, forKey: .audience)
        steps = try container.decodeIfPresent([Step].self, forKey: .steps)
        fromName = try container.decodeIfPresent(String.self, forKey: .fromName)
        fromEmail = try container.decodeIfPresent(String.self, forKey: .fromEmail)
        replyTo = try container.decodeIfPresent(String.self, forKey: .replyTo)
        version = try container.decodeIfPresent(Int.self, forKey: .version)
        names = Set(container.allKeys.map(\.rawValue))
        var errors = ValidationErrors()
        if let type, type != "one_time" { errors.add("type", "Only one_time campaigns can be made here.") }
        if let steps, steps.count != 1 { errors.add("steps", "A one-time campaign has exactly one step.") }
        if let kind = steps?.first?.type, kind != "email" { errors.add("steps/0/type", "The step must be an email.") }
        try errors.throwIfAny()
    }

    func applied(to content: CampaignContent) -> CampaignContent {
        var content: CampaignContent = content
        if let name { content.name = name.trimmed }
        if let audience { content.audience = audience }
        if let step = steps?.first {
            if let subject = step.subject { content.subject = subject.trimmed }
            if let previewText = step.previewText { content.previewText = previewText.trimmed }
            if let html = step.html {
                content.html = html
                content.bodyMode = step.bodyMode ?? Self.mode(of: html)
            } else if let mode = step.bodyMode {
                content.bodyMode = mode
            }
        }
        if names.contains("fromName") { content.fromName = fromName?.trimmed.nonEmpty }
        if names.contains("fromEmail") { content.fromEmail = fromEmail?.trimmed.nonEmpty }
        if names.contains("replyTo") { content.replyTo = replyTo?.trimmed.nonEmpty }
        return content
    }

    /// A whole document is used as it is; a piece of one is put into our frame.
    private static func mode(of html: String) -> BodyMode {
        let start: String = html.prefix(400).lowercased()
        return start.contains("<html") || start.contains("<!doctype") ? .html : .rich
    }
}

/// A campaign as JSON goes out.
struct CampaignOutput: Encodable, Sendable {
    struct Step: Encodable {
        let type = "email"
        let subject: String
        let previewText: String
        let html: String
        let bodyMode: BodyMode

        private enum CodingKeys: String, CodingKey { case type, subject, previewText, html, bodyMode }
    }

    let id: CampaignID
    let name: String
    let type = "one_time"
    let status: CampaignStatus
    let audience: SendAudience
    let steps: [Step]
    let fromName: String?
    let fromEmail: String?
    let replyTo: String?
    let scheduledAt: Date?
    let launchedAt: Date?
    let finishedAt: Date?
    let sendId: SendID?
    let progress: CampaignProgressOutput?
    let version: Int
    let createdAt: Date
    let updatedAt: Date

    private enum CodingKeys: String, CodingKey {
        case id, name, type, status, audience, steps, fromName, fromEmail, replyTo, scheduledAt, launchedAt, finishedAt,
            sendId,
            progress, version, createdAt, updatedAt
    }

    init(_ campaign: Campaign, send: SendSummary?, now: Date) {
        id = campaign.id
        name = campaign.content.name
        status = campaign.status
        audience = campaign.content.audience
        steps = [
            Step(
                subject: campaign.content.subject, previewText: campaign.content.previewText,
                html: campaign.content.html,
                bodyMode: campaign.content.bodyMode)
        ]
        fromName = campaign.content.fromName
        fromEmail = campaign.content.fromEmail
        replyTo = campaign.content.replyTo
        scheduledAt = campaign.scheduledAt
        launchedAt = campaign.launchedAt
        finishedAt = campaign.finishedAt
        sendId = campaign.send
        progress = send.map { CampaignProgressOutput($0, now: now) }
        version = campaign.version
        createdAt = campaign.createdAt
        updatedAt = campaign.updatedAt
    }
}

/// How far a send is, as JSON.
struct CampaignProgressOutput: Encodable, Sendable {
    let state: SendState
    let notice: String?
    let complete: Bool
    let recipients: Int
    let sent: Int
    let failed: Int
    let uncertain: Int
    let skipped: Int
    let retrying: Int
    let cancelled: Int
    let remaining: Int
    let ratePerSecond: Double?

    init(_ summary: SendSummary, now: Date) {
        state = summary.state
        notice = summary.notice
        complete = summary.isSnapshotComplete
        recipients = summary.recipients
        sent = summary.sent
        failed = summary.failed
        uncertain = summary.uncertain
        skipped = summary.skipped
        retrying = summary.retrying
        cancelled = summary.cancelled
        remaining = summary.remaining
        ratePerSecond = SendProgressRecord(summary: summary, now: now).rate
    }

    static let schema = APISchema.object(
        [
            ("state", .string(oneOf: SendState.allCases.map(\.rawValue))), ("notice", .nullable(.string)),
            ("complete", .boolean), ("recipients", .integer), ("sent", .integer), ("failed", .integer),
            ("uncertain", .integer), ("skipped", .integer), ("retrying", .integer), ("cancelled", .integer),
            ("remaining", .integer), ("ratePerSecond", .nullable(.number)),
        ],
        required: ["state", "recipients", "sent", "failed", "uncertain", "skipped", "remaining"])
}

/// What the last look found, as JSON.
struct ReviewOutput: Encodable, Sendable {
    struct Check: Encodable {
        let code: String
        let level: String
        let title: String
        let detail: String
    }

    struct Refusal: Encodable {
        let reason: String
        let label: String
        let count: Int
    }

    let ready: Bool
    let people: Int
    let recipients: Int
    let excluded: [Refusal]
    let checks: [Check]

    init(_ finding: CampaignReview.Finding) {
        ready = finding.blockers.isEmpty
        people = finding.forecast.people
        recipients = finding.forecast.recipients
        excluded = finding.forecast.refusals.map {
            Refusal(reason: $0.reason.rawValue, label: $0.reason.label, count: $0.count)
        }
        checks = finding.checks.map {
            Check(code: $0.code, level: $0.level.rawValue, title: $0.title, detail: $0.detail)
        }
    }
}

extension CampaignAPI {
    private static let audience = APISchema.object(
        [("listIds", .array(of: .id, maxItems: 100)), ("excludeListIds", .array(of: .id, maxItems: 100))])
    private static let step = APISchema.object(
        [
            ("type", .string(oneOf: ["email"])), ("subject", .string), ("previewText", .string), ("html", .string),
            ("bodyMode", .string(oneOf: BodyMode.allCases.map(\.rawValue))),
        ])
    static let inputSchema = APISchema.object([
        ("name", .string(maxLength: 200)), ("type", .string(oneOf: ["one_time"])), ("audience", audience),
        ("steps", .array(of: step, maxItems: 1)), ("fromName", .nullable(.string)), ("fromEmail", .nullable(.email)),
        ("replyTo", .nullable(.email)), ("version", .integer),
    ])
    static let schema = APISchema.object(
        [
            ("id", .id), ("name", .string), ("type", .string(oneOf: ["one_time"])),
            ("status", .string(oneOf: CampaignStatus.allCases.map(\.rawValue))), ("audience", audience),
            ("steps", .array(of: step)), ("fromName", .nullable(.string)), ("fromEmail", .nullable(.email)),
            ("replyTo", .nullable(.email)), ("scheduledAt", .nullable(.dateTime)), ("launchedAt", .nullable(.dateTime)),
            ("finishedAt", .nullable(.dateTime)), ("sendId", .nullable(.id)),
            ("progress", .nullable(.ref("CampaignProgress"))), ("version", .integer), ("createdAt", .dateTime),
            ("updatedAt", .dateTime),
        ],
        required: ["id", "name", "type", "status", "audience", "steps", "version", "createdAt", "updatedAt"])

    static let listOperation = APIOperation(
        id: "listCampaigns", tag: "Campaigns", summary: "All campaigns, the last changed first",
        query: [.init("status", .string, "Only with this status."), .init("q", .string, "In name or subject.")]
            + APIOperation.paging, response: .page(of: .ref("Campaign")))
    static let createOperation = APIOperation(
        id: "createCampaign", tag: "Campaigns", summary: "Create a draft", body: .ref("CampaignInput"), status: 201,
        response: .ref("Campaign"))
    static let readOperation = APIOperation(
        id: "readCampaign", tag: "Campaigns", summary: "One campaign with its progress", response: .ref("Campaign"))
    static let replaceOperation = APIOperation(
        id: "replaceCampaign", tag: "Campaigns", summary: "Replace a draft", body: .ref("CampaignInput"),
        response: .ref("Campaign"), problems: [409])
    static let changeOperation = APIOperation(
        id: "changeCampaign", tag: "Campaigns", summary: "Change parts of a draft", body: .ref("CampaignInput"),
        response: .ref("Campaign"), problems: [409])
    static let deleteOperation = APIOperation(
        id: "deleteCampaign", tag: "Campaigns", summary: "Delete a campaign that is not being sent", status: 204,
        problems: [409])
    static let scheduleOperation = APIOperation(
        id: "scheduleCampaign", tag: "Campaigns", summary: "Send later; null takes it off the schedule",
        body: .object([("sendAt", .nullable(.dateTime))]), response: .ref("Campaign"), problems: [409])
    static let testOperation = APIOperation(
        id: "testCampaign", tag: "Campaigns", summary: "Send one test e-mail",
        body: .object([("to", .email), ("contactId", .nullable(.id))], required: ["to"]),
        response: TestReportOutput.schema)
    static let reviewOperation = APIOperation(
        id: "reviewCampaign", tag: "Campaigns", summary: "Checks before sending and how many people will get it",
        response: .object(
            [
                ("ready", .boolean), ("people", .integer), ("recipients", .integer),
                (
                    "excluded",
                    .array(of: .object([("reason", .string), ("label", .string), ("count", .integer)]))
                ),
                (
                    "checks",
                    .array(
                        of: .object([
                            ("code", .string), ("level", .string(oneOf: ["blocker", "warning", "passed"])),
                            ("title", .string), ("detail", .string),
                        ]))
                ),
            ],
            required: ["ready", "people", "recipients", "excluded", "checks"]))

    static func verb(_ name: String, _ summary: String) -> APIOperation {
        APIOperation(
            id: "\(name)Campaign", tag: "Campaigns", summary: summary, status: 202, response: .ref("Campaign"),
            problems: [409])
    }
}
