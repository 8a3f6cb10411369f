(* SPDX-License-Identifier: Apache-2.0 *)
(** The primitives on objects pass through every change of view: they ask only
    whether the object is accessible, read it and write it.  Rests on [LockView] and
    [Bottom]; used by layers 1 to 4. *)
From SeKVM.lib Require Import Layer.
From SeKVM.machine Require Export LockView Tickets ViewTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** Code that meets a specification on its own state, and that specification related to
    a higher one. *)
Lemma fun_sim_spec {Sh Sl} (R : srel Sh Sl) Lo fn (p : prim Sh) (q : prim Sl) :
  fun_ok Lo fn q -> prim_rel R p q -> fun_sim R Lo fn p.
Proof.
  intros O Q vs s t r E Z. destruct (Q vs s t r E Z) as (r' & Z' & G). exists r'. split; [exact (O _ _ _ Z') | exact G].
Qed.

(** A run of a function by its verification condition. *)
Lemma exec_fun_vc {S} (L : tbl S) fn vs s r :
  bind_vc (fn_temps fn) (fn_params fn) vs (fun e => vc L (fn_body fn)
    (post (fn_ret fn) (fun v s' => r = Ok v s') (fun s' => r = Halt s')) e s) ->
  exec_fun (graph L) fn vs s r.
Proof.
  intros X. eapply bind_vc_weaken in X; [|intros e; apply vc_wp].
  apply fun_wp in X as ([v t|t] & Y & ->); exact Y.
Qed.

(** Related views agree on what a primitive can see of an accessible object, and stay
    related when it writes. *)
Definition view_compat {F G} {VF : View F} {VG : View G} (RF : view_relation F G) : Prop :=
  forall me X (f : F X) (g : G X), RF me X f g ->
  own f = own g /\ (own f = true -> value f = value g /\ (forall x, RF me X (store x f) (store x g))).

(** The bottom primitives pass through, table by table: they look only at accessible objects. *)
Section Tables.
  Context {F G : Type -> Type} {VF : View F} {VG : View G}.
  Context (RF : view_relation F G) (C : view_compat RF).

  Lemma ctl_view_rel {N M P} : tbl_rel (@R_view F G N M P RF) T_ctl T_ctl.
  Proof. view_tbl_tac VF VG C. Qed.
  Lemma ptmem_view_rel {M P} : tbl_rel (@R_view F G npt M P RF) T_ptmem T_ptmem.
  Proof. view_tbl_tac VF VG C. Qed.
  Lemma bump_view_rel {M P} : tbl_rel (@R_view F G npt M P RF) T_bump T_bump.
  Proof. view_tbl_tac VF VG C. Qed.
  Lemma smmu_ptmem_view_rel {N P} : tbl_rel (@R_view F G N sptab P RF) T_smmu_ptmem T_smmu_ptmem.
  Proof. view_tbl_tac VF VG C. Qed.
  Lemma smmu_bump_view_rel {N P} : tbl_rel (@R_view F G N sptab P RF) T_smmu_bump T_smmu_bump.
  Proof. view_tbl_tac VF VG C. Qed.
  Lemma pages_view_rel {N M} : tbl_rel (@R_view F G N M _ RF) T_pages T_pages.
  Proof. view_tbl_tac VF VG C. Qed.
End Tables.

(** Handing objects over is the same at every view. *)
Definition pull_compat {F G} {WF : PullView F} {WG : PullView G} (RF : view_relation F G) : Prop :=
  forall me X (f : F X) (g : G X), RF me X f g ->
  (forall b, RF me X (set_own b f) (set_own b g)) /\ (forall e, RF me X (add_log e f) (add_log e g)).

Lemma pull_view_rel {F G} {VF : View F} {VG : View G} {WF : PullView F} {WG : PullView G} {N M P}
      (RF : view_relation F G) :
  view_compat RF -> pull_compat RF -> tbl_rel (@R_view F G N M P RF) T_pull T_pull.
Proof.
  intros C D. repeat constructor; apply lock_prim_rel; intros me X f g v f' Y E.
  - unfold pull_op in *. destruct (C _ _ _ _ Y) as (O & _). rewrite <- O. destruct (own f); [discriminate|].
    injection E as <- <-. eexists. split; [reflexivity|]. now apply D.
  - unfold push_op in *. destruct (C _ _ _ _ Y) as (O & Z0). rewrite <- O.
    destruct (own f); [|discriminate]. destruct (Z0 eq_refl) as (W & _). rewrite <- W. injection E as <- <-. eexists. split; [reflexivity|].
    apply D. now apply D.
Qed.
