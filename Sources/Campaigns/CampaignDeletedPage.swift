import Templates
import Web

/// Says that a campaign is gone, and offers it back.
struct CampaignDeletedPage: ViewPage {
    let id: String
    let name: String

    static let view = "campaigns/deleted"
    static let fields = Fields<CampaignDeletedPage> { f in
        f.text("id") { $0.id }
        f.text("name") { $0.name }
    }
    static var previews: [CampaignDeletedPage] { [CampaignDeletedPage(id: "1", name: "Spring news")] }
}
