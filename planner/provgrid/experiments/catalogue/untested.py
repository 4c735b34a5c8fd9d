"""Claims of the documents that no plan of this model can decide, each with the reason."""

from __future__ import annotations

from provgrid.experiments.declared import Claim


def claims() -> tuple[Claim, ...]:
    """Claims that cannot be tested here."""
    return (
        Claim(
            id="zhejiang_leads_inflow",
            title="Zhejiang keeps the largest net inflow of people through 2028",
            says="Zhejiang stays first in net inflow until 2028.",
            facts=("zhejiang_lead_to_2028",),
            untestable="Where people move is an input here, as growth of demand; no plan says where they will.",
        ),
        Claim(
            id="people_follow_compute",
            title="People move to where compute is built",
            says="AI industry and computing centres draw people, to Xinjiang among other places.",
            facts=("people_follow_compute", "inflow_drivers", "xinjiang_inflow_east_west"),
            untestable="The model knows no migration. It would take inflows by place over the years beside capacity.",
        ),
        Claim(
            id="industry_grows",
            title="Vertical models and open data make industry grow",
            says="Specialised models on shared bases, and data that state and firms exchange, make industry more "
            "productive.",
            facts=("base_and_vertical_models", "experimental_data_zones", "data_barriers"),
            untestable="Output of industry is not in the model. What opening a zone saves in computing is; see the "
            "switch open_zones.",
        ),
        Claim(
            id="public_money_deters",
            title="Public money for start-ups makes it harder to raise money abroad",
            says="Firms that take state money first find it harder to raise private money abroad.",
            facts=("public_money_deters",),
            untestable="Finance of firms is not in the model; subsidies are, as terms of a tenant.",
        ),
        Claim(
            id="cheap_models",
            title="A Chinese open model costs much less than western ones",
            says="DeepSeek's open model is said to cost much less than western ones.",
            facts=("deepseek_cheap_model",),
            untestable="What training and serving one model cost a firm elsewhere is not in the model: it plans where "
            "and when work runs, not how much work a model needs.",
        ),
    )
