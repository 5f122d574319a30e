import Core
import Messaging
import Postgres
import Segments

/// Lets rules of segments ask the ledger of messages.
package struct LedgerBehaviour: BehaviourLedger {
    package init() {}

    package func sent(_ campaign: CampaignID?, in workspace: WorkspaceID) -> SQL {
        MessageBehaviour.sent(campaign, in: workspace)
    }

    package func first(
        _ kind: RuleBehaviour.Kind, humanOnly: Bool, _ campaign: CampaignID?, in workspace: WorkspaceID
    ) -> SQL {
        MessageBehaviour.first(clicks: kind == .clicked, humanOnly: humanOnly, campaign, in: workspace)
    }

    package func engaged(_ kind: RuleBehaviour.Kind, humanOnly: Bool, in workspace: WorkspaceID) -> [SQL] {
        MessageBehaviour.engaged(clicks: kind == .clicked, humanOnly: humanOnly, in: workspace)
    }

    package func messages(of campaign: CampaignID, in workspace: WorkspaceID) -> SQL {
        MessageBehaviour.messages(of: campaign, in: workspace)
    }

    package func launch(of campaign: CampaignID, in workspace: WorkspaceID) -> SQL {
        MessageBehaviour.launch(of: campaign, in: workspace)
    }
}
