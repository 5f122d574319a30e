import Accounts
import Analytics
import Campaigns
import Connectors
import Contacts
import Messaging
import Tracking

extension PortalAssembly {
    /// All slices, for what they say about themselves without being made.
    private static let sliceTypes: [any Slice.Type] = [
        AccountsSlice.self, ContactsSlice.self, TrackingSlice.self, MessagingSlice.self, CampaignsSlice.self,
        AnalyticsSlice.self, ConnectorsSlice.self,
    ]

    /// What all slices say about single people: the export and the erasure of a person go through it. The copies of
    /// messages are found by the messages, so Messaging comes before whoever lets go of them.
    package static var personalTables: [PersonalTable] { sliceTypes.flatMap { $0.personalTables } }

    /// Where texts of all slices name a person who is erased.
    package static let mentions: PersonMentions.Finder = ListUses.naming

    /// How long all slices keep what grows old.
    package static var retentionRules: [RetentionRule] {
        sliceTypes.flatMap { $0.retentionRules } + [Inactivity.rule(sliceTypes.flatMap { $0.signsOfLife })]
    }
}
