"""What a user of the public client does, run in a process that has the client: reads a task, prints what came.

Nothing of the client is changed. Every list has a client of its own, since one that has turned a page asks for that
page of the next list as well.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def main() -> None:
    """Do the task on standard input."""
    from pycipapi.cipapi_client import CipApiClient

    task: dict[str, Any] = json.load(sys.stdin)

    def client() -> Any:
        return CipApiClient(task["url"], user="writer", password=task["password"], retries=1)

    listed = list(client().get_cases(page_size=2, extra_params="show_referral"))
    done: dict[str, Any] = {
        "listed": [[one.interpretation_request_id, one.version, one.last_status, one.cip] for one in listed],
        "cases": [],
    }
    for one in listed:
        case = one.get_case(client(), reports_v6=True, extra_params="show_referral")
        payload = case.interpretation_request_payload
        done["cases"].append(
            {
                "id": case.interpretation_request_id,
                "assembly": case.assembly,
                "closed": case.has_been_closed,
                "members": case.members if payload else None,
                "genomes": len(case.interpreted_genome),
                "referral": case.referral.referral_id if case.referral else None,
            }
        )
    done["reports"] = [one.clinical_report_version for one in client().list_clinical_reports()]
    done["referrals"] = [list(one.get_interpretation_requests_ids()) for one in client().list_referral()]

    writing = client()
    paged = list(writing.get_cases_raw(page_size=1))  # a page number of this stays on what follows
    done["paged"] = len(paged)
    path = ("genomics_england_tiering", "raredisease", "GEL-40101-1")
    for _ in range(2):
        report = writing.submit_clinical_report(task["report"], *path, reports_v6=True)
        done.setdefault("posted", []).append([report.clinical_report_version, report.valid, report.created_at])
    done["priority"] = writing.change_priority("40101", "1", "urgent").case_priority
    done["dispatched"] = writing.dispatch("40101", "1").last_status
    flags = list(writing.submit_interpretation_flags([{"name": "other", "description": "d"}], "40101", "1"))
    done["flags"] = [[one.name, one.description] for one in flags]
    genome = writing.submit_interpreted_genome(task["genome"], "exomiser", "raredisease", "40101-1")
    done["genome"] = [genome.created_at, genome.user]
    json.dump(done, sys.stdout)


if __name__ == "__main__":
    main()
