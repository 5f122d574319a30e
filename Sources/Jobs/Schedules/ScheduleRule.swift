import Core
import FoundationEssentials

/// When scheduled work runs. Times of day are UTC.
package enum ScheduleRule: Sendable, Equatable {
    /// Shortly after the first start, then at this distance.
    case every(Duration)
    case daily(hour: Int, minute: Int)

    /// The time of the first run of a schedule that is new at `now`.
    func first(now: Date) -> Date {
        if case .every = self { return now }
        return next(after: now)
    }

    /// The next run after one at `now`.
    func next(after now: Date) -> Date {
        switch self {
        case .every(let interval):
            return now.addingTimeInterval(max(1, interval.seconds))
        case .daily(let hour, let minute):
            let day: Double = 86_400
            let time: Double = Double(hour * 3600 + minute * 60)
            let midnight: Double = (now.timeIntervalSince1970 / day).rounded(.down) * day
            let today = Date(timeIntervalSince1970: midnight + time)
            return today > now ? today : today.addingTimeInterval(day)
        }
    }
}

/// A schedule as the slices declared it.
struct JobSchedule: Sendable {
    let name: String
    let rule: ScheduleRule
    let lane: JobLane

    var kind: String { "schedule." + name }
}
