(* SPDX-License-Identifier: Apache-2.0 *)
(** Tactics that show what an interface answers to a call: the layer that defines the function is found by names, and only
    its own table is opened.  Rests on [Uses]; used by the layers' [Refine] files. *)
From SeKVM.lib Require Export Uses.

(** The goal [assoc f L = Some p], for an interface that is built layer by layer. *)
Ltac look_up := lazymatch goal with
  | |- assoc ?f ?L = Some ?p =>
      let L' := eval red in L in
      lazymatch L' with
      | over ?T (hide ?ns ?B) =>
          let new := eval vm_compute in (is_one_of f (map fst T)) in
          lazymatch new with
          | true => refine (assoc_new f T (hide ns B) p _); reflexivity
          | false => refine (assoc_kept f T B ns p _ _ _); [vm_compute; reflexivity | vm_compute; reflexivity | look_up]
          end
      | _ => reflexivity
      end
  end.

(** The goal [serves U L (mcalls M)]. *)
Ltac served := lazymatch goal with
  | |- serves ?U ?L (mcalls ?M) =>
      let fs := eval vm_compute in (List.nodup String.string_dec (mcalls M)) in
      refine (serves_incl U L (mcalls M) fs _ _); [vm_compute; reflexivity|];
      repeat (refine (List.Forall_cons _ _ _);
        [ lazymatch goal with |- assoc ?f ?L = assoc ?f ?U =>
            let q := eval hnf in (assoc f U) in transitivity q; [look_up | reflexivity] end |]);
      exact (List.Forall_nil _)
  end.
