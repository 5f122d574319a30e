import Core
import FoundationEssentials
import Jobs

/// Starts a scheduled campaign.
struct LaunchCampaign: Job {
    static let kind = "campaigns.launch"
    static let lane: JobLane = .transactional
    let workspace: WorkspaceID
    let campaign: CampaignID
    /// The time it was scheduled for; a campaign that was scheduled anew has another job.
    let scheduledAt: Date
}
