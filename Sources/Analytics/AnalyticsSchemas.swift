import Messaging
import Web

/// What the API documentation says of reports.
enum AnalyticsSchemas {
    private static let rate: APISchema = .nullable(.number)
    private static let time: APISchema = .nullable(.dateTime)
    private static let states: APISchema = .string(oneOf: MessageState.allCases.map(\.rawValue))

    static let analytics: APISchema = {
        let counts: [(String, APISchema)] = [
            "recipients", "sent", "delivered", "failed", "uncertain", "skipped", "cancelled", "retrying", "pending",
            "bounced", "opened", "clicked", "unsubscribed", "complained", "uniqueOpens", "uniqueClicks", "totalOpens",
            "totalClicks",
            "humanOpens", "humanClicks",
        ].map { ($0, .integer) }
        let rates: [(String, APISchema)] = [
            "deliveryRate", "openRate", "openRateWithMachines", "clickRate", "clickToOpenRate", "unsubscribeRate",
            "bounceRate", "complaintRate", "failureRate",
        ].map { ($0, rate) }
        let reason: APISchema = .object([
            ("state", states), ("reason", .nullable(.string)), ("label", .string), ("count", .integer),
        ])
        let link: APISchema = .object([
            ("number", .integer), ("url", .string), ("uniqueClicks", .integer), ("totalClicks", .integer),
        ])
        return .object(
            [("campaignId", .id), ("status", .string)] + counts + rates
                + [
                    ("startedAt", time), ("finishedAt", time), ("reasons", .array(of: reason)),
                    ("links", .array(of: link)),
                ],
            required: ["campaignId", "status"] + counts.map(\.0) + ["reasons", "links"])
    }()

    static let message: APISchema = .object(
        [
            ("id", .id), ("contactId", .id), ("email", .nullable(.string)), ("firstName", .nullable(.string)),
            ("lastName", .nullable(.string)), ("status", states), ("reason", .nullable(.string)),
            ("reasonText", .nullable(.string)), ("providerResponse", .nullable(.string)), ("attempts", .integer),
            ("createdAt", .dateTime), ("nextAttemptAt", time), ("sentAt", time), ("bouncedAt", time),
            ("openedAt", time),
            ("clickedAt", time), ("unsubscribedAt", time), ("openCount", .integer), ("clickCount", .integer),
        ], required: ["id", "contactId", "status", "attempts", "createdAt", "openCount", "clickCount"])

    static let analyticsOperation = APIOperation(
        id: "getCampaignAnalytics", tag: "Reports", summary: "What a campaign achieved",
        details: """
            `sent` counts messages that the mail server took; `delivered` is `sent` without those that came back \
            later, which is all that SMTP tells. `failed` counts messages refused for good, `bounced` those of them \
            whose address does not exist. `opened` and `clicked` (also `humanOpens`, `humanClicks`) count people, each \
            once, machines left out; `complained` counts messages reported as spam; `uniqueOpens` and `uniqueClicks` count messages that anything opened or clicked, \
            `totalOpens` and `totalClicks` every request. Open, click, unsubscribe and complaint rates are shares of `delivered`, \
            bounce and failure rates of `sent` + `failed`; a rate without a base is null.
            """,
        response: .ref("CampaignAnalytics"))

    static let messagesOperation = APIOperation(
        id: "listCampaignMessages", tag: "Reports", summary: "Who was written to, with what outcome",
        details:
            "One line for each person of the campaign, also for those left out. `id` is the id of the sent e-mail.",
        query: [
            .init("state", states, "Only messages in this state."),
            .init("reason", .string(oneOf: MessageReason.allCases.map(\.rawValue)), "Only messages with this reason."),
            .init(
                "did", .string(oneOf: MessageFilter.Action.allCases.map(\.rawValue)),
                "Only messages whose recipients did this."),
            .init("q", .string, "A part of the e-mail address."),
        ] + APIOperation.paging, response: .page(of: .ref("CampaignMessage")), problems: [400])

    static let seriesOperation = APIOperation(
        id: "getCampaignTimeSeries", tag: "Reports", summary: "Sends, opens and clicks over time",
        details: "Hours and days of the workspace's time zone. Each person's first open and first click count.",
        query: [.init("interval", .string(oneOf: ["hour", "day"]), "`hour` unless told.")],
        response: .object(
            [
                ("interval", .string(oneOf: ["hour", "day"])), ("timeZone", .string),
                (
                    "data",
                    .array(
                        of: .object(
                            [
                                ("start", .dateTime), ("sent", .integer), ("opened", .integer), ("clicked", .integer),
                            ], required: ["start", "sent", "opened", "clicked"]))
                ),
            ], required: ["interval", "timeZone", "data"]), problems: [400])

    static let dashboardOperation = APIOperation(
        id: "getDashboard", tag: "Reports", summary: "The overview of the workspace",
        details: "The last 30 days in the workspace's time zone, the last campaigns and what needs attention.",
        response: .object(
            [
                ("contacts", .integer), ("sentInThirtyDays", .integer), ("openRate", rate), ("clickRate", rate),
                ("bounceRate", rate), ("timeZone", .string),
                (
                    "days",
                    .array(
                        of: .object([("date", .string(format: "date")), ("sent", .integer), ("contacts", .integer)]))
                ),
                (
                    "lastCampaigns",
                    .array(
                        of: .object([
                            ("id", .id), ("name", .string), ("status", .string), ("sent", .integer),
                            ("opened", .integer),
                            ("clicked", .integer), ("unsubscribed", .integer), ("startedAt", time),
                        ]))
                ),
                (
                    "attention",
                    .array(
                        of: .object([
                            ("code", .string), ("level", .string(oneOf: ["warn", "danger"])), ("title", .string),
                            ("detail", .string), ("href", .string),
                        ]))
                ),
            ], required: ["contacts", "sentInThirtyDays", "timeZone", "days", "lastCampaigns", "attention"]))
}
