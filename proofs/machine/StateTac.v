(* SPDX-License-Identifier: Apache-2.0 *)
(** The machine's part of the code-proof tactics: getters after setters by one
    restricted [cbn], lookups in updated maps.  Rests on [State] and [VcTac]. *)
From SeKVM.lib Require Export VcTac.
From SeKVM.machine Require Export State.
Local Open Scope Z_scope.

#[export] Hint Unfold is_vmid HOSTVISOR COREVISOR : consts.
#[export] Hint Unfold own value store cell_view : prims.

Ltac state_norm ::= cbn [
  st_core st_s2 st_spt st_smmu st_npts st_vms st_mem st_cpu st_ctxts st_boot st_ins st_outs
  set_core set_s2 set_spt set_smmu set_npts set_vms set_mem set_cpu set_ctxts set_boot set_ins set_outs
  c_val c_held c_log c_script set_val
  pgd_next pud_next pmd_next npt_words set_pgd_next set_pud_next set_pmd_next set_npt_words
  spt_pgd_next spt_pmd_next spt_words set_spt_pgd_next set_spt_pmd_next set_spt_words
  fst snd].

Ltac state_norm_hyps ::= repeat match goal with
  | E : <[?i := _]> _ !! ?i = Some ?x |- _ => rewrite lookup_insert in E; injection E as <-
  | E : true = true |- _ => clear E
  end; cbn [
  st_core st_s2 st_spt st_smmu st_npts st_vms st_mem st_cpu st_ctxts st_boot st_ins st_outs
  set_core set_s2 set_spt set_smmu set_npts set_vms set_mem set_cpu set_ctxts set_boot set_ins set_outs
  c_val c_held c_log c_script set_val
  pgd_next pud_next pmd_next npt_words set_pgd_next set_pud_next set_pmd_next set_npt_words
  spt_pgd_next spt_pmd_next spt_words set_spt_pgd_next set_spt_pmd_next set_spt_words
  fst snd] in *.

Ltac map_step ::= match goal with
  | |- context [<[?i := _]> _ !! ?i] => rewrite lookup_insert
  | |- context [<[?i := _]> _ !! ?j] =>
      first [ rewrite (lookup_insert_ne _ i j) by lia
            | replace j with i by lia; rewrite lookup_insert ]
  | |- context [<[?i := _]> (<[?i := _]> _)] => rewrite insert_insert
  end.
