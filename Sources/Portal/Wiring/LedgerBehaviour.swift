import Core
import Messaging
import Postgres
import Segments

/// Lets rules of segments ask the ledger of messages.
package struct LedgerBehaviour: BehaviourLedger {
    package init() {}

    package func sent(_ campaign: CampaignID?, in rows: WorkspaceRows) -> SQL {
        MessageBehaviour.sent(campaign, in: rows)
    }

    package func first(
        _ kind: RuleBehaviour.Kind, humanOnly: Bool, _ campaign: CampaignID?, in rows: WorkspaceRows
    ) -> SQL {
        MessageBehaviour.first(clicks: kind == .clicked, humanOnly: humanOnly, campaign, in: rows)
    }

    package func engaged(_ kind: RuleBehaviour.Kind, humanOnly: Bool, in rows: WorkspaceRows) -> [SQL] {
        MessageBehaviour.engaged(clicks: kind == .clicked, humanOnly: humanOnly, in: rows)
    }

    package func messages(of campaign: CampaignID, in rows: WorkspaceRows) -> SQL {
        MessageBehaviour.messages(of: campaign, in: rows)
    }

    package func launch(of campaign: CampaignID, in rows: WorkspaceRows) -> SQL {
        MessageBehaviour.launch(of: campaign, in: rows)
    }
}
